/* Clocks, and what measuring cost. */
#include "client.h"

#include <sys/resource.h>
#include <time.h>

static double read_clock(clockid_t clock) {
  struct timespec now;
  clock_gettime(clock, &now);
  return now.tv_sec + now.tv_nsec / 1e9;
}

double clock_seconds(void) { return read_clock(CLOCK_MONOTONIC); }

double unix_seconds(void) { return read_clock(CLOCK_REALTIME); }

double cpu_seconds(void) { return read_clock(CLOCK_PROCESS_CPUTIME_ID); }

void print_cost(double clock_began, double cpu_began) {
  double wall = clock_seconds() - clock_began, cpu = cpu_seconds() - cpu_began;
  printf("\"wall\":%.9f,\"cpu\":%.9f,\"cpuShare\":%.4f", wall, cpu, wall > 0 ? cpu / wall : 0);
}

void print_seconds(const char *name, const double *values, size_t count) {
  printf("\"%s\":[", name);
  for (size_t i = 0; i < count; i++) printf("%s%.9f", i ? "," : "", values[i]);
  printf("]");
}
