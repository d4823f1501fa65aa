/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A variant of UNIT_FIXTURE for every kind of unit that is passed through.
 * Included once for each such fixture.
 */
VS_UNIT_VARIANT(UNIT_FIXTURE, pscsi_disk, VS_UNIT_PSCSI_DISK);
VS_UNIT_VARIANT(UNIT_FIXTURE, pscsi_cd, VS_UNIT_PSCSI_CD);
VS_UNIT_VARIANT(UNIT_FIXTURE, pscsi_tape, VS_UNIT_PSCSI_TAPE);
VS_UNIT_VARIANT(UNIT_FIXTURE, user, VS_UNIT_USER);
