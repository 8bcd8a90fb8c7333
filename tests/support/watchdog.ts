/**
 * Ends the processes of a test run that was itself killed, however it was: Ctrl-C, SIGKILL, a crash.
 *
 * A shell reads from a pipe which processes run. When the pipe closes, the test
 * run is gone, and the shell kills what still ran, direct children included.
 * Owns: that shell, which ends by itself.
 */

const SCRIPT = `
trap '' INT TERM HUP
pids=" "
while read -r sign pid; do
  case $sign in
    +) pids="$pids$pid " ;;
    -) pids="\${pids%% $pid *} \${pids#* $pid }" ;;
  esac
done
for pid in $pids; do
  children=$(cat /proc/$pid/task/$pid/children 2>/dev/null)
  kill -9 $pid $children 2>/dev/null
done
`;

const shell = new Deno.Command("sh", {
  args: ["-c", SCRIPT],
  stdin: "piped",
  stdout: "null",
  stderr: "null",
}).spawn();
shell.unref();
const writer = shell.stdin.getWriter();
const text = new TextEncoder();

/** From now on `pid` does not outlive the test run. */
export function watch(pid: number): void {
  writer.write(text.encode(`+ ${pid}\n`));
}

/** `pid` has ended; its number may be another process's soon. */
export function unwatch(pid: number): void {
  writer.write(text.encode(`- ${pid}\n`));
}
