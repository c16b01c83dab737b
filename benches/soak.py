"""Hours of work for the console, and what is left of it afterwards: memory, open files, the books.

    cargo build --release && python3 benches/soak.py [PATH OF taillight] [MINUTES, 120 if not said]

2,000 events a second from 19 pages, one page more that connects and is cut off every second, a recording that is
rotated every minute or so and never thinned, a TCP sink whose other end comes and goes every half a minute, another
size of the terminal and another screen each minute. Every ten seconds a line: minutes, MiB, open files, events.
At the end the slope of the memory after the first sixth, the span of open files, the books, and the recording beside
them. The exit code is 1 when one of them does not hold.
"""
import fcntl, glob, gzip, json, os, pty, random, signal, socket, struct, subprocess, sys, tempfile, termios, threading, time, urllib.request

PROGRAM = os.path.abspath(sys.argv[1] if len(sys.argv) > 1 else "target/release/taillight")
MINUTES = float(sys.argv[2]) if len(sys.argv) > 2 else 120
RATE, PAGES, BATCH = 2000, 19, 20
SIZES = [(24, 80), (36, 120), (60, 200), (10, 42), (48, 160)]
over = threading.Event()


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def every(seconds, work):
    """Runs `work(n)` in a thread of its own until the end, `n` from 0."""
    def run():
        n = 0
        while not over.wait(seconds):
            work(n)
            n += 1
    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    return thread


class Console:
    """The program in a terminal whose output is read and thrown away."""

    def __init__(self, folder, port, lines_port):
        settings = os.path.join(folder, "settings.toml")
        with open(settings, "w") as out:
            out.write(f'[sinks.file]\nfolder = "{folder}/logs"\nrotate-bytes = "32MiB"\nkeep-files = 1000000\n'
                      f'[sinks.lines]\ntype = "tcp"\naddress = "127.0.0.1:{lines_port}"\n')
        self.pid, self.terminal = pty.fork()
        if self.pid == 0:
            home = {"HOME": folder, "XDG_CONFIG_HOME": folder, "XDG_STATE_HOME": folder, "XDG_RUNTIME_DIR": folder, "TERM": "xterm-256color"}
            os.chdir(folder)
            os.execve(PROGRAM, [PROGRAM, "--port", str(port), "--config", settings], {**os.environ, **home})
        self.port, self.drawn = port, 0
        self.tail = b""
        self.resize(36, 120)
        threading.Thread(target=self.drain, daemon=True).start()

    def drain(self):
        while True:
            try:
                data = os.read(self.terminal, 1 << 16)
            except OSError:
                return
            if not data:
                return
            self.drawn += len(data)
            self.tail = (self.tail + data)[-4000:]

    def resize(self, rows, columns):
        fcntl.ioctl(self.terminal, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def play(self, n):
        self.resize(*SIZES[n % len(SIZES)])
        os.write(self.terminal, b"123456"[n % 6:n % 6 + 1])

    def health(self):
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/healthz", timeout=10) as answer:
            return json.load(answer)

    def memory(self):
        with open(f"/proc/{self.pid}/status") as status:
            return next(int(line.split()[1]) / 1024 for line in status if line.startswith("VmRSS"))

    def files(self):
        return len(os.listdir(f"/proc/{self.pid}/fd"))


class Lines:
    """The other end of the TCP sink: there for half a minute, then gone for one."""

    def __init__(self, port):
        self.port, self.taken = port, 0
        self.there = None
        self.flap(0)

    def flap(self, _):
        if self.there:
            self.there.set()
            self.there = None
        else:
            self.there = threading.Event()
            threading.Thread(target=self.listen, args=(self.there,), daemon=True).start()

    def listen(self, gone):
        with socket.socket() as door:
            door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            door.bind(("127.0.0.1", self.port))
            door.listen()
            door.settimeout(0.2)
            while not gone.is_set():
                try:
                    peer, _ = door.accept()
                except TimeoutError:
                    continue
                peer.settimeout(0.2)
                self.read(peer, gone)

    def read(self, peer, gone):
        with peer:
            while not gone.is_set():
                try:
                    data = peer.recv(1 << 16)
                except TimeoutError:
                    continue
                except OSError:
                    return
                if not data:
                    return
                self.taken += data.count(b"\n")


class Page:
    """One page that is cut off every second and goes on under the same numbers."""

    def __init__(self, port):
        self.port, self.acked, self.failed = port, 0, 0
        self.name = f"{random.getrandbits(128):032x}"

    def visit(self, _):
        try:
            self.talk()
        except OSError:
            self.failed += 1

    def talk(self):
        with socket.create_connection(("127.0.0.1", self.port), timeout=10) as peer:
            peer.sendall(b"GET /v1/ws HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                         b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: taillight.v1\r\n\r\n")
            answer = peer.makefile("rb")
            while answer.readline().strip():
                pass
            self.send(peer, {"t": "hello", "v": 1, "client": self.name, "session": "soak", "tab": "soak", "load": 1, "page": "http://localhost/soak",
                             "now": int(time.time() * 1000), "next": self.acked + 1})
            self.hear(answer, "welcome")
            events = [{"type": "log", "level": "info", "message": f"visit after {self.acked}", "timestamp": int(time.time() * 1000)} for _ in range(5)]
            self.send(peer, {"t": "batch", "seq": self.acked + 1, "events": events})
            self.acked = max(self.acked, self.hear(answer, "ack")["seq"])

    @staticmethod
    def send(peer, message):
        data = json.dumps(message).encode()
        head = bytes([0x81, 0x80 | len(data)]) if len(data) < 126 else bytes([0x81, 0xFE]) + struct.pack(">H", len(data))
        peer.sendall(head + b"\0\0\0\0" + data)

    @staticmethod
    def hear(answer, kind):
        while True:
            head = answer.read(2)
            if len(head) < 2:
                raise OSError("closed")
            size = head[1] if head[1] < 126 else struct.unpack(">H", answer.read(2))[0]
            data = answer.read(size)
            if head[0] == 0x81 and json.loads(data)["t"] == kind:
                return json.loads(data)


def slope(samples):
    """Least squares, in MiB per ten minutes."""
    n, mean_x, mean_y = len(samples), sum(x for x, _ in samples) / len(samples), sum(y for _, y in samples) / len(samples)
    return n and 10 * sum((x - mean_x) * (y - mean_y) for x, y in samples) / (sum((x - mean_x) ** 2 for x, _ in samples) or 1)


def recorded(folder):
    """How many lines there are of pages, and of taillight itself."""
    counts = [0, 0]
    for path in glob.glob(f"{folder}/logs/*"):
        with (gzip.open if path.endswith(".gz") else open)(path, "rb") as lines:
            for line in lines:
                counts["cid" not in json.loads(line)] += 1
    return counts


def books(health, load, page, folder):
    """What must hold, each with what was found."""
    ring, ingest = health["ring"], health["ingest"]
    found = {
        "load lost nothing": (load["lost"] == 0, load),
        "accepted is what was acked": (ingest["accepted"] == load["acked"] + page.acked, (ingest, page.acked)),
        "received = accepted + duplicate + rejected": (ingest["received"] == ingest["accepted"] + ingest["duplicate"] + sum(ingest["rejected"].values()), ingest),
        "accepted + own = live + evicted": (ingest["accepted"] + ring["own"] == ring["live"] + ring["evicted"], (ingest, ring)),
        "visits that failed": (page.failed == 0, page.failed),
    }
    for name, sink in health["sinks"].items():
        parts = sum(sink[part] for part in ("delivered", "queued", "filtered", "sampled", "limited")) + sum(sink["dropped"].values())
        found[f"sink {name}: offered is the sum of its parts"] = (sink["offered"] == parts and sink["dropped"].get("panic", 0) == 0, sink)
    pages, own = recorded(folder)
    found["recorded: each event of a page, and at the end the last summaries"] = (pages == ingest["accepted"] and pages + own >= health["sinks"]["file"]["delivered"], (pages, own))
    return found


def main():
    folder = tempfile.mkdtemp(prefix="soak-")
    port, lines_port = free_port(), free_port()
    console, lines, page = Console(folder, port, lines_port), Lines(lines_port), Page(port)
    while True:
        try:
            console.health()
            break
        except OSError:
            time.sleep(0.1)
    samples, start = [], time.monotonic()

    def sample(_):
        try:
            minutes, memory, files, health = (time.monotonic() - start) / 60, console.memory(), console.files(), console.health()
        except (OSError, StopIteration) as error:
            print("no sample:", error, flush=True)
            return
        samples.append((minutes, memory, files))
        print(f"{minutes:.1f} min  {memory:.1f} MiB  {files} files  {health['ingest']['accepted']} events  {console.drawn >> 20} MiB drawn", flush=True)

    threads = [every(1, page.visit), every(10, sample), every(30, lines.flap), every(60, console.play)]
    print(folder, "pid", console.pid, "port", port, flush=True)
    load = subprocess.run([PROGRAM, "load", "--port", str(port), "--connections", str(PAGES), "--rate", str(RATE), "--batch", str(BATCH),
                           "--for", f"{int(MINUTES * 60)}s", "--json"], stdout=subprocess.PIPE, check=False)
    over.set()
    for thread in threads:
        thread.join()
    time.sleep(3)
    health = console.health()
    os.kill(console.pid, signal.SIGTERM)
    code = os.waitstatus_to_exitcode(os.waitpid(console.pid, 0)[1])
    found = books(health, json.loads(load.stdout), page, folder)
    late = [one for one in samples if one[0] >= MINUTES / 6]
    rise, span = slope([one[:2] for one in late]), (min(one[2] for one in late), max(one[2] for one in late))
    found["memory rises by at most 1 MiB in 10 minutes"] = (rise <= 1, f"{rise:.2f} MiB, {min(one[1] for one in late):.1f} to {max(one[1] for one in late):.1f}")
    found["open files within 5 of the middle"] = (span[1] - span[0] <= 10, span)
    found["ends when it is told to"] = (code in (0, 143, -signal.SIGTERM), (code, console.tail[-300:] if code else ""))
    for what, (holds, seen) in found.items():
        print("holds" if holds else "DOES NOT HOLD", "|", what, "|", seen)
    print("lines taken by the other end of the TCP sink:", lines.taken, "| folder:", folder)
    sys.exit(not all(holds for holds, _ in found.values()))


if __name__ == "__main__":
    main()
