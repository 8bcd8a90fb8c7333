/*
 * The CPU time another process has used, to the microsecond and to this moment: asked between a
 * change and its NOTIFY, when threads are running.
 *
 * By the kernel's task clocks (perf_event_open), one for each thread and those it starts. Where
 * these are not allowed, from /proc/PID/task/TID/schedstat: that of a running thread is up to a
 * tick (4 ms) old.
 */
#include <dirent.h>
#include <linux/perf_event.h>
#include <sys/syscall.h>

enum { COUNTERS = 256 };

static struct {
  int pid, fds[COUNTERS], count, fromSchedstat;
} counted;

static double schedstat_us(void) {
  char path[300];
  unsigned long long all = 0, ns;
  snprintf(path, sizeof path, "/proc/%d/task", counted.pid);
  DIR *tasks = opendir(path);
  if (!tasks) return 0;
  for (struct dirent *task; (task = readdir(tasks));) {
    snprintf(path, sizeof path, "/proc/%d/task/%s/schedstat", counted.pid, task->d_name);
    FILE *file = task->d_name[0] == '.' ? NULL : fopen(path, "r");
    if (!file) continue;
    if (fscanf(file, "%llu", &ns) == 1) all += ns;
    fclose(file);
  }
  closedir(tasks);
  return all / 1e3;
}

static int count_thread(int tid) {
  struct perf_event_attr attr = {.type = PERF_TYPE_SOFTWARE, .size = sizeof attr, .inherit = 1,
                                 .config = PERF_COUNT_SW_TASK_CLOCK};
  if (counted.count == COUNTERS) return 0;
  int fd = syscall(SYS_perf_event_open, &attr, tid, -1, -1, PERF_FLAG_FD_CLOEXEC);
  if (fd < 0) return 0;
  counted.fds[counted.count++] = fd;
  return 1;
}

/* Counts a process from now on, in place of the one before. */
static void count_process(int pid) {
  char path[64];
  while (counted.count > 0) close(counted.fds[--counted.count]);
  counted.pid = pid;
  counted.fromSchedstat = 0;
  snprintf(path, sizeof path, "/proc/%d/task", pid);
  DIR *tasks = opendir(path);
  if (!tasks) return;
  for (struct dirent *task; (task = readdir(tasks));)
    if (task->d_name[0] != '.' && !count_thread(atoi(task->d_name))) counted.fromSchedstat = 1;
  closedir(tasks);
}

/* Its CPU time since any moment, in microseconds; 0 when no process is counted. */
static double counted_us(void) {
  if (counted.fromSchedstat) return schedstat_us();
  unsigned long long all = 0, ns;
  for (int i = 0; i < counted.count; i++)
    if (read(counted.fds[i], &ns, sizeof ns) == sizeof ns) all += ns;
  return all / 1e3;
}
