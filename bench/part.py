"""What the benchmarks share: a log, a broker of their own, and what a process costs.

Enters: where things are. Leaves: numbers. Never: a server or a folder that outlives its `with`. Standard library only.
"""
import os
import pathlib
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parent.parent
PARTITIONS = 4
TICKS = os.sysconf("SC_CLK_TCK")

# Program, template in bench/peers/, arguments before the file.
PEERS = {
    "rsyslog": ("rsyslogd", "rsyslog.conf", ["-n", "-i", "NONE", "-f"]),
    "filebeat": ("filebeat", "filebeat.yml", ["-e", "--strict.perms=false", "-c"]),
    "fluent-bit": ("fluent-bit", "fluent-bit.conf", ["-c"]),
    "vector": ("vector", "vector.yaml", ["-q", "-c"]),
    "shipper": ("shipper", "shipper.yml", ["run", "-c"]),
}


def add_flags(flags, port):
    """The flags of every benchmark."""
    flags.add_argument("--port", type=int, default=port)
    flags.add_argument("--cache", default=str(pathlib.Path.home() / ".cache/watchfire"))
    target = os.environ.get("CARGO_TARGET_DIR", str(ROOT / "target"))
    flags.add_argument("--shipper", default=f"{target}/release/shipper")


def check_shipper(flags):
    if not os.access(flags.shipper, os.X_OK):
        sys.exit(f"{flags.shipper} is not there: run `cargo build --release -p shipper`, or name it with --shipper")


def find(name, shipper):
    """A peer's program, or None."""
    path = os.environ.get("PATH", "") + ":/usr/sbin"
    return shipper if name == "shipper" else shutil.which(PEERS[name][0], path=path)


def command(name, shipper, folder, logs, broker, topic):
    """Writes a peer's configuration into `folder`; gives the command that ships `logs`/app.log* until SIGTERM."""
    _, template, arguments = PEERS[name]
    state = pathlib.Path(folder) / "state"
    state.mkdir(exist_ok=True)
    text = (ROOT / "bench/peers" / template).read_text()
    words = {"LOGS": logs, "STATE": state, "BROKER": broker, "TOPIC": topic, "EXTRA": "", "REST": "", "STATE_LINES": 1000}
    for word, value in words.items():
        text = text.replace(f"@{word}@", str(value))
    config = pathlib.Path(folder) / template
    config.write_text(text)
    return [find(name, shipper), *arguments, str(config)]


def write_log(path, lines):
    """A service's log of 175 bytes a line: a time, a level, a trace id, a logger, a message. The same in every run."""
    chance = random.Random(7)
    services = ["checkout", "cart", "payment", "search", "user"]
    levels = ["INFO"] * 90 + ["WARN"] * 6 + ["ERROR"] * 4
    with open(path, "w") as out:
        for number in range(lines):
            name, level = chance.choice(services), chance.choice(levels)
            minute, second, milli = (number // 60000) % 60, (number // 1000) % 60, number % 1000
            out.write(
                f"2026-11-23T00:{minute:02d}:{second:02d}.{milli:03d}Z {level:5} [{name}] "
                f"[trace={chance.getrandbits(64):016x}] com.example.{name}.Handler - request completed "
                f"status={chance.choice([200, 200, 200, 404, 500])} path=/api/v1/{name}/{chance.randrange(100000)} "
                f"duration_ms={chance.randrange(900)} seq={number}\n"
            )


class Broker:
    """A Kafka of this benchmark alone."""

    def __init__(self, cache, port):
        self.address = f"127.0.0.1:{port}"
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="bench-kafka-"))
        script = ROOT / "tests/testbed/kafka.sh"
        subprocess.run([script, cache, self.folder, str(port), str(PARTITIONS)], check=True, stdout=subprocess.DEVNULL)
        self.pid = int((self.folder / "kafka.pid").read_text())

    def __enter__(self):
        # The first producer waits until the broker has loaded its state.
        settings = ["-X", "enable.idempotence=true"]
        subprocess.run(["kcat", "-P", "-b", self.address, "-t", "warm", *settings], input=b"x\n", check=True)
        return self

    def __exit__(self, *_):
        os.kill(self.pid, signal.SIGTERM)
        while is_running(self.pid):
            time.sleep(0.1)
        shutil.rmtree(self.folder, ignore_errors=True)

    def create(self, topic):
        """Asking for a topic makes it."""
        deadline = time.time() + 30
        while time.time() < deadline:
            answer = self.kcat("-L", "-t", topic)
            if f"with {PARTITIONS} partitions" in answer and "not available" not in answer:
                return
            time.sleep(0.2)
        sys.exit(f"the broker does not make the topic {topic}")

    def records(self, topic):
        """Records on the topic by its offsets."""
        ends = [word for number in range(PARTITIONS) for word in ("-t", f"{topic}:{number}:-1")]
        return sum(int(offset) for offset in re.findall(r"offset (\d+)", self.kcat("-Q", *ends)))

    def payloads(self, topic, pattern):
        """Records whose value has `pattern`: heartbeats lie on the same topic, and are not counted."""
        read = f"kcat -b {self.address} -C -t {topic} -e -q -o beginning | grep -c '{pattern}'"
        return int(subprocess.run(read, shell=True, capture_output=True, text=True).stdout or 0)

    def megabytes(self, topic):
        files = (self.folder / "data").glob(f"{topic}-*/*.log")
        return sum(file.stat().st_size for file in files) / 1e6

    def kcat(self, *arguments):
        return subprocess.run(["kcat", "-b", self.address, *arguments], capture_output=True, text=True).stdout

    def follow(self, topic):
        """A process that prints each record of the topic as soon as it can be read."""
        arguments = ["-C", "-t", topic, "-o", "beginning", "-q", "-u", "-X", "fetch.wait.max.ms=10"]
        return subprocess.Popen(["kcat", "-b", self.address, *arguments], stdout=subprocess.PIPE)


def is_running(pid):
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


def cpu_seconds(pid):
    """User and system time of a process so far."""
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def memory_mb(pid, name="VmHWM"):
    """The peak of resident memory, or with VmRSS what it is now."""
    return int(re.search(rf"{name}:\s+(\d+)", pathlib.Path(f"/proc/{pid}/status").read_text()).group(1)) / 1024


def open_files(pid, folder):
    """Descriptors that a process holds of what lies in `folder`."""
    held = 0
    for entry in pathlib.Path(f"/proc/{pid}/fd").iterdir():
        try:
            held += os.readlink(entry).startswith(str(folder))
        except FileNotFoundError:
            pass
    return held


class Shipper:
    """A shipper that runs until the `with` ends; its registry stays in `folder`."""

    def __init__(self, program, folder, logs, broker, topic):
        self.log = pathlib.Path(folder) / "log"
        self.log.unlink(missing_ok=True)
        line = command("shipper", program, folder, logs, broker.address, topic)
        with open(self.log, "w") as out:
            self.process = subprocess.Popen(line, stdout=out, stderr=out)
        self.pid = self.process.pid

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()

    def metric(self, name):
        """A metric's value; zero until the page is there."""
        address = re.search(r"admin page address=(\S+)", self.log.read_text())
        if not address:
            return 0.0
        with urllib.request.urlopen(f"http://{address.group(1)}/metrics") as page:
            lines = page.read().decode().splitlines()
        return sum(float(line.split()[1]) for line in lines if re.match(rf"{name}[ {{]", line))

    def wait(self, what, is_there, seconds_max):
        """Waits for a condition; gives how long it took."""
        started = time.time()
        while not is_there():
            if self.process.poll() is not None:
                sys.exit(f"the shipper ended:\n{self.log.read_text()[-2000:]}")
            if time.time() - started > seconds_max:
                sys.exit(f"after {seconds_max} s still no sign of: {what}\n{self.log.read_text()[-2000:]}")
            time.sleep(0.05)
        return time.time() - started
