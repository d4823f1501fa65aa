# SPDX-License-Identifier: GPL-2.0
"""A guest on vhost-scsi that verifies its disk all along (lab/level2/migrate), with its
console as the only way to it, so that it can move from one QEMU to another: what the tests
with such a guest have in common."""

import contextlib
import gzip
import json
import os
import pathlib
import re
import shutil
import socket
import subprocess
import sys
import threading
import time

sys.path.insert(0, "/src/lab/report")
from usage import words  # noqa: E402 F401  pylint: disable=wrong-import-position,unused-import

OUT = pathlib.Path("/out")
WORK = pathlib.Path("/run/migrate")
WWN = "naa.5001405000000001"
PATIENCE = 900
# What QEMU runs the guest with; User-Mode Linux has no KVM.
UML = "lab.uml" in pathlib.Path("/proc/cmdline").read_text(encoding="ascii").split()
# The QEMUs that were started
RUNNING = []


class Failed(Exception):
    """Something that the test is about went wrong."""


def wait(what, check):
    """Until check() is true, or returns what it found."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        found = check()
        if found:
            return found
        time.sleep(0.3)
    raise Failed(f"{what}: not within {PATIENCE} s")


class Qemu:
    """One QEMU with the guest, or waiting for it. Methods only: it may be on another host."""

    def __init__(self, number, incoming=False, properties="migratable=on", options=(), kernel=""):
        # A page of a process is a mapping of its own under User-Mode Linux, and its host has
        # vm.max_map_count of them, 65,530: 192 MiB of guest and 24 of its code are 55,296.
        accel, memory = ("tcg,tb-size=24", "192") if UML else ("kvm", "384")
        release = guest_release()
        # Not in /out: a file that grows under 9p while it is looked at loses bytes there.
        self.console = WORK / f"console.{number}"
        self.log = OUT / f"qemu.{number}"
        serial = WORK / f"serial.{number}"
        # See lab/level1/lib.sh.
        notify = "" if UML else ",modern-pio-notify=on"
        monitor = WORK / f"qmp.{number}"
        words = ["qemu-system-x86_64", "-machine", "q35,hpet=off", "-accel", accel, "-cpu", "qemu64",
                 "-smp", "1", "-m", memory, "-bios", "qboot.rom", "-nodefaults",
                 "-no-user-config", "-no-reboot", "-display", "none",
                 "-kernel", f"/boot/vmlinuz-{release}", "-initrd", str(WORK / "initrd"),
                 "-append", "console=ttyS0 quiet panic=-1 mitigations=off no_timer_check "
                 "pci=noearly,lastbus=0 rootfstype=ramfs" + kernel,
                 "-chardev",
                 f"socket,id=serial,path={serial},server=on,wait=off,logfile={self.console}",
                 "-serial", "chardev:serial",
                 "-qmp", f"unix:{monitor},server=on,wait=off",
                 *options, "-device", f"vhost-scsi-pci,wwpn={WWN},{properties}{notify}"]
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(words + (["-incoming", "defer"] if incoming else []),
                                            stdout=log, stderr=log)
        RUNNING.append(self)
        self.serial = wait(f"the serial port of QEMU {number}", lambda: self.connect(serial))
        threading.Thread(target=self.drain, daemon=True).start()
        self.qmp = wait(f"the monitor of QEMU {number}",
                        lambda: self.connect(monitor)).makefile("rw")
        self.ask("qmp_capabilities")

    def connect(self, path):
        """A socket of its, None if it does not listen yet."""
        self.dead()
        sock = socket.socket(socket.AF_UNIX)
        sock.settimeout(PATIENCE)
        try:
            sock.connect(str(path))
        except OSError:
            return None
        return sock

    def drain(self):
        """Reads what the guest says, which is in the log: else it waits for us in the end."""
        self.serial.settimeout(None)
        with contextlib.suppress(OSError):
            while self.serial.recv(4096):
                pass

    def dead(self):
        """Raises if the QEMU has ended."""
        if self.process.poll() is not None:
            raise Failed(f"QEMU ended with {self.process.returncode}: "
                         f"{self.log.read_text()[-500:]}")
        return False

    def ask(self, command, **arguments):
        """One command of QMP, and its answer; events are passed over."""
        self.qmp.write(json.dumps({"execute": command, "arguments": arguments}) + "\n")
        self.qmp.flush()
        while True:
            line = ""
            with contextlib.suppress(OSError):
                line = self.qmp.readline()
            if not line:
                time.sleep(1)
                self.dead()
                raise Failed(f"{command}: QEMU hung up")
            answer = json.loads(line)
            if "error" in answer:
                raise Failed(f"{command}: {answer['error']['desc']}")
            if "return" in answer:
                return answer["return"]

    def said(self):
        """What the guest said here. Raises if it failed."""
        text = self.console.read_text(errors="replace") if self.console.exists() else ""
        if "FAILED" in text:
            raise Failed(f"the guest: {text[text.index('FAILED'):][:2000]}")
        self.dead()
        return text

    def number(self, word):
        """The last number that the guest said after word, 0 if there is none yet."""
        return int(([0] + re.findall(rf"^{word} (\d+)\n", self.said(), re.M))[-1])

    def passes(self):
        """How often the guest has verified its disk here."""
        return self.said().count("PASS ")

    def works(self):
        """Waits until the guest has done a whole pass here."""
        wait("the guest goes on", lambda: self.passes() >= 2)

    def tell(self, command):
        """The guest's shell runs command; what that said."""
        done = self.said().count("\nDONE\n")
        self.serial.sendall(f"{command}\n".encode())
        wait(f"the guest does '{command}'", lambda: self.said().count("\nDONE\n") > done)
        text = self.said().split("\nDONE\n")[done]
        return "\n".join(re.findall("^SAID (.*)$", text, re.M))

    def quiet(self):
        """Raises if the device told QEMU an error."""
        errors = self.log.read_text(errors="replace").count("vring error")
        if errors:
            raise Failed(f"{errors} errors in {self.log}")

    def end(self):
        """This side is not needed any more."""
        self.ask("quit")
        self.process.wait(PATIENCE)
        self.quiet()

    def stop(self):
        """The guest ends, and must do so in order."""
        self.serial.sendall(b"stop\n")
        self.process.wait(PATIENCE)
        text = self.console.read_text(errors="replace")
        if "FAILED" in text or "END after" not in text:
            raise Failed(f"the end: {text[-500:]}")
        self.quiet()


def move(source, target, uri, number):
    """One migration."""
    target.ask("migrate-incoming", uri=uri)
    source.ask("migrate-set-parameters", **{"max-bandwidth": 1 << 30, "downtime-limit": 2000})
    source.ask("migrate", uri=uri)

    def ended():
        state = source.ask("query-migrate")
        # A slow machine does not converge: then the guest may stop for as long as it takes.
        if state.get("ram", {}).get("dirty-sync-count", 0) >= 4:
            source.ask("migrate-set-parameters", **{"downtime-limit": 60000})
        return state if state.get("status") in ("completed", "failed", "cancelled") else None

    state = wait("the migration", ended)
    if state["status"] != "completed":
        raise Failed(f"migration: {state.get('error-desc', state['status'])}")
    wait("the guest runs", lambda: target.ask("query-status")["running"])
    source.end()
    print(f"# {number}: {state['total-time']} ms, downtime {state['downtime']} ms, "
          f"{state['ram']['dirty-sync-count']} looks at the log, "
          f"{state['ram']['transferred'] >> 20} MiB", flush=True)


def guest_release():
    """The guest's kernel: the host's own, or Debian's 6.12 where the host is a program."""
    release = os.uname().release
    if os.path.exists(f"/boot/vmlinuz-{release}"):
        return release
    return next(pathlib.Path("/boot").glob("vmlinuz-6.12.*")).name.removeprefix("vmlinuz-")


def prepare(**more):
    """Room for the disks, and the guest's initramfs with what it runs, and more files: their
    names there and where they are from."""
    WORK.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1G", "migrate", WORK], check=True)
    if not UML:
        subprocess.run("modprobe kvm_amd || modprobe kvm_intel", shell=True, check=True)
    more |= {"main": "/src/lab/level2/migrate", "lib.sh": "/src/lab/level2/lib.sh"}
    for name, source in more.items():
        shutil.copy(source, WORK / name)
    cpio = subprocess.run(["cpio", "--quiet", "-o", "-H", "newc"], cwd=WORK, check=True,
                          input="\n".join(more).encode(), stdout=subprocess.PIPE).stdout
    initramfs = subprocess.run(
        ["bash", "-c", f". /src/lab/level1/lib.sh; L2_WORK={WORK}; l2_initramfs"], check=True,
        text=True, stdout=subprocess.PIPE).stdout.strip()
    files = pathlib.Path(initramfs).read_bytes() + cpio
    (WORK / "initrd").write_bytes(gzip.compress(files, 1) if UML else files)


def targetcli(commands):
    """What targetcli says to commands, a line each."""
    return subprocess.run(["targetcli"], input=commands, text=True, check=True,
                          stdout=subprocess.PIPE).stdout


def serve(backstore):
    """The target, by targetcli: the disk of the command backstore is LUN 0."""
    subprocess.run(["modprobe", "-a", "loop", "target_core_mod", "target_core_file",
                    "target_core_iblock", "target_core_pscsi"], check=False)
    os.makedirs("/etc/rtslib-fb-target/pr", exist_ok=True)
    kind, name = re.match(r"/backstores/(\w+) create name=(\w+)", backstore).groups()
    said = targetcli(f"{backstore}\n/vhost create {WWN}\n"
                     f"/vhost/{WWN}/tpg1/luns create /backstores/{kind}/{name} lun=0\n")
    if not os.path.isdir(f"/sys/kernel/config/target/vhost/{WWN}/tpgt_1/lun/lun_0"):
        raise Failed(f"targetcli made no LUN: {said}")


def clean_up():
    """No QEMU, and no target."""
    for qemu in RUNNING:
        qemu.process.kill()
        qemu.process.wait()
        shutil.copy(qemu.console, OUT)
    subprocess.run(["targetcli", "clearconfig", "confirm=True"], check=False,
                   stdout=subprocess.DEVNULL)


def times(word, least=1):
    """How often, from the command line."""
    if not (word.isdecimal() and int(word) >= least):
        sys.exit(f"lab: TIMES is a number from {least} on, not '{word}'")
    return int(word)


def judge(name, rows, test):
    """One line of TAP, and in /out, by whether test() fails."""
    verdict = "ok"
    try:
        test()
    except Exception as failed:  # pylint: disable=broad-exception-caught
        print(f"# {type(failed).__name__}: {failed}")
        verdict = "not ok"
    clean_up()
    program = pathlib.Path(sys.argv[0]).name
    (OUT / f"{program}.tap").write_text(
        f"TAP version 13\n1..1\n# covers: {rows}\n{verdict} 1 {name}\n")
    print(f"{verdict} 1 {name}")
    sys.exit(verdict != "ok")
