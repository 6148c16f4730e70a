/** Attacks on a running herd by a user of the machine who doesn't own it. */
import type { NeighbourAttack } from './attack.ts';

export const DOOR_ATTACKS: readonly NeighbourAttack[] = [
  {
    name: 'every way to a running herd: its sockets, its files, its processes',
    attempt: async (stage) => {
      const report = await stage.status();
      if (report === null) throw new Error('the herd does not answer');
      const { supervisor, keeper } = report.herd;
      const pids = [supervisor, keeper, ...report.molds, ...report.workers].flatMap(({ pid }) => pid ?? []);
      const said = await stage.mallory.run(
        `
libc = ctypes.CDLL(None, use_errno=True)
came_through = []
def attempt(what, act):
    try:
        if act() != -1:
            came_through.append(what)
    except OSError:
        pass
def connect(name):
    socket.socket(socket.AF_UNIX).connect(RUN + "/" + name)
for name in ("control.sock", "keeper.sock"):
    attempt("connects to " + name, lambda: connect(name))
for name in ("herd.json", ".cowherd", "census-1"):
    attempt("reads " + name, lambda: open(RUN + "/" + name).read())
attempt("lists the runtime directory", lambda: os.listdir(RUN))
attempt("writes there", lambda: open(RUN + "/herd.json.new", "w"))
for pid in PIDS:
    for name in ("environ", "mem", "maps", "pagemap", "smaps_rollup", "io", "auxv"):
        attempt(f"reads {name} of {pid}", lambda: open(f"/proc/{pid}/{name}", "rb").read(1))
    for name in ("fd", "root", "cwd", "map_files"):
        attempt(f"lists {name} of {pid}", lambda: os.listdir(f"/proc/{pid}/{name}"))
    for number in (0, signal.SIGTERM, signal.SIGKILL, 44):
        attempt(f"sends signal {number} to {pid}", lambda: os.kill(pid, number))
    attempt(f"sends a signal to {pid} by a descriptor",
            lambda: signal.pidfd_send_signal(os.pidfd_open(pid), signal.SIGTERM))
    attempt(f"traces {pid}", lambda: libc.ptrace(16, pid, 0, 0))  # PTRACE_ATTACH
    attempt(f"takes a descriptor of {pid}", lambda: libc.syscall(438, os.pidfd_open(pid), 3, 0))  # pidfd_getfd
    attempt(f"sets the priority of {pid}", lambda: os.setpriority(os.PRIO_PROCESS, pid, 19))
    attempt(f"moves {pid} to a processor", lambda: os.sched_setaffinity(pid, [0]))
    attempt(f"limits {pid}", lambda: libc.prlimit(pid, 7, ctypes.create_string_buffer(16), None))
with open("/proc/net/unix") as sockets:
    for line in sockets:
        if line.split()[-1].startswith("@"):
            came_through.append("sees a socket that everybody may connect to: " + line.split()[-1])
tell(json.dumps(came_through))
`,
        { RUN: stage.runtimeDirectory, PIDS: pids },
      );
      return (JSON.parse(said) as string[]).map((what) => `another user ${what}`);
    },
  },
];
