/**
 * The attacks by somebody who has code execution in a worker that runs as nobody. Data.
 *
 * The lines are Python and follow weapons.py. `DECOY` is the pid of a process of root, `SECRET` the path of a file of
 * root.
 */
export interface Attack {
  readonly name: string;
  readonly lines: string;
  /** Runs the lines in every worker, then tells the herd to refork, so that one of them becomes a mold. */
  readonly refork?: boolean;
  /** Used instead of the lines: messages of the herd's owner to the sockets of the runtime directory. */
  readonly sockets?: readonly string[];
}

const FLOOD_SECONDS = 2;

export const ATTACKS: readonly Attack[] = [
  { name: 'a fork of process -1', lines: 'say(forked(-1, 900))' },
  { name: 'a fork of process 1', lines: 'say(forked(1, 900))' },
  { name: "a fork of root's process", lines: 'say(forked(DECOY, 900))' },
  {
    name: "a fork of root's process, with a channel and a row",
    lines: `
ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
ours.send(b'{"type": "born"}')
say(forked(DECOY, 0), [theirs.fileno(), (boards() + [0])[0]])
`,
  },
  { name: "a retirement of root's process", lines: 'say({"type": "retired", "pid": DECOY, "requests_finished": 1})' },
  {
    name: 'a retirement that nobody has asked for, and settings behind it',
    lines: `
say({"type": "retired", "requests_finished": 1})
time.sleep(0.2)
say(configured(pidfile=SECRET))
say(READY)
say(forked(DECOY))
`,
  },
  { name: 'settings with a pid file', lines: 'say(configured(pidfile=SECRET)); say(READY)' },
  {
    name: 'settings with a log file, and a line for it',
    lines: `
say(configured(errorlog=SECRET))
say({"type": "notice", "level": "warning", "text": "x\\nroot::0:0::/:/bin/sh\\n"})
`,
  },
  {
    name: 'settings with a socket file in a folder of root',
    lines: 'say(configured(addresses=[{"kind": "unix", "path": SECRET + ".sock"}], uid=65534, gid=65534))',
  },
  { name: 'settings that switch the merging of memory on', lines: 'say(configured(heal=True))' },
  { name: 'bytes that are no text', lines: 'say(b"\\xff\\xfe garbage")' },
  { name: 'a list', lines: 'say(b"[]")' },
  { name: 'no type', lines: 'say({})' },
  { name: 'a fork without its fields', lines: 'say({"type": "forked", "pid": 5})' },
  { name: 'a retirement without its fields', lines: 'say({"type": "retired"})' },
  { name: 'deep nesting', lines: 'say(b"[" * 60000)' },
  { name: 'a number of 5000 digits', lines: 'say(b\'{"type": "worker_ready", "pid": \' + b"7" * 5000 + b"}")' },
  { name: 'a pid beyond all pids', lines: 'say(forked(2**40))' },
  { name: 'no number at all', lines: 'say(b\'{"type": "retired", "requests_finished": NaN}\')' },
  { name: 'a number that is infinite', lines: 'say(b\'{"type": "retired", "requests_finished": 1e999}\')' },
  { name: 'a message that is none', lines: 'say({"type": "nope"})' },
  { name: 'the end of a mold', lines: 'say({"type": "mold_finished", "status": 0, "daemonize": False})' },
  { name: 'the failure of a mold', lines: 'say({"type": "mold_failed", "code": "MOLD_DIED", "detail": ""})' },
  { name: 'the end of a process', lines: 'say({"type": "process_exited", "pid": DECOY})' },
  { name: 'an empty packet', lines: 'say(b"")' },
  { name: 'the end of the channel', lines: 'for channel in channels(): channel.shutdown(socket.SHUT_RDWR)' },
  {
    name: 'a packet of the largest size, again and again',
    lines: 'for _ in range(200): say(b\'{"type": "\' + b"x" * 120000 + b\'"}\')',
  },
  {
    name: 'notices without an end',
    lines: `
until = time.monotonic() + ${FLOOD_SECONDS}
while time.monotonic() < until:
    say({"type": "notice", "level": "warning", "text": "x" * 1000})
`,
  },
  {
    name: 'descriptors with everything',
    lines: 'for _ in range(50): say({"type": "worker_ready"}, list(os.pipe()) * 100)',
  },
  {
    name: 'the scoreboard cut off',
    lines: `
for board in boards():
    for size in (0, 1, 1 << 30):
        try:
            os.ftruncate(board, size)
            result = "cut"
        except OSError:
            pass
`,
  },
  {
    name: 'the scoreboard filled',
    lines: `
for board in boards():
    os.lseek(board, 0, os.SEEK_END)
    try:
        while os.write(board, bytes(1 << 20)):
            result = "filled"
    except OSError:
        pass
`,
  },
  {
    name: "other workers' rows written",
    lines: `
import gc
for each in gc.get_objects():
    if type(each) is memoryview and each.format == "Q" and not each.readonly:
        own = list(each)
        for index in range(len(each)):
            each[index] = 2**64 - 1
        # Its own requests it may fail, as it likes.
        for index, value in enumerate(own):
            each[index] = value
        result = "found"
`,
  },
  {
    name: 'a stack of gigabytes',
    lines: `
import faulthandler
for board in boards():
    os.lseek(board, 4096, os.SEEK_SET)
    try:
        while os.write(board, b"[CRITICAL] forged\\n" * 10000):
            pass
    except OSError:
        pass
os.kill(os.getpid(), signal.SIGABRT)
`,
  },
  {
    name: "signals to the herd's other processes",
    lines: `
for name in os.listdir("/proc"):
    if name.isdigit() and int(name) != os.getpid():
        try:
            if os.stat("/proc/" + name).st_uid == 0:
                os.kill(int(name), signal.SIGKILL)
                result = "killed " + name
        except OSError:
            pass
`,
  },
  {
    name: 'a mold that was a worker: settings with a pid file',
    refork: true,
    lines: `
def does(channel):
    channel.send(configured(pidfile=SECRET, errorlog=SECRET))
    channel.receive()
    channel.send({**READY, "report": {"x": "y"}})
    os._exit(0)
Mold(does)
`,
  },
  {
    name: "a mold that was a worker: forks of root's process and of all processes",
    refork: true,
    lines: `
def does(channel):
    channel.send(configured())
    channel.receive()
    channel.send(READY)
    message, _ = channel.receive()
    for pid in (DECOY, -1, 0, 1):
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        ours.send(b'{"type": "born"}')
        board = os.memfd_create("x")
        channel.send(forked(pid, message["slot"]), [theirs.fileno(), board])
    os._exit(0)
Mold(does)
`,
  },
  {
    name: 'a mold that was a worker: the end of the herd',
    refork: true,
    lines: `
def does(channel):
    channel.send({"type": "mold_finished", "status": 0, "daemonize": True})
    channel.send({"type": "policy_rejected", "policy": "immortal", "reason": "x"})
    channel.send(b"x".hex() and {"type": "nope"})
    os._exit(0)
Mold(does)
`,
  },
];

/** The attacks that are part of `make test`: one of each kind. */
export const SHORT: readonly string[] = [
  'a fork of process -1',
  "a fork of root's process, with a channel and a row",
  'a retirement that nobody has asked for, and settings behind it',
  'settings with a log file, and a line for it',
  'deep nesting',
  'the end of a mold',
  'a number that is infinite',
  'notices without an end',
  'the scoreboard cut off',
  "other workers' rows written",
  'a stack of gigabytes',
  'a mold that was a worker: settings with a pid file',
  "a mold that was a worker: forks of root's process and of all processes",
];
