/* The zones that NOTIFY told of: which serial each secondary shows, and when it was told. */
#ifndef ZONES_H
#define ZONES_H

#include "wire.h"

enum { MAX_SINKS = 64 };

struct seen {
  bool is_told;
  uint32_t serial;
  int64_t notified_ns; /* of the first NOTIFY since the mark; 0: none */
};

struct zone {
  struct name name;
  struct seen seen[MAX_SINKS];
};

/* When (zone, secondary) were first told since the mark. */
struct zone_times {
  int64_t pairs, first_ns, median_ns, last_ns;
};

struct zone *zone_find(const struct name *name); /* NULL: not told of */
struct zone *zone_of(const struct name *name);   /* made when it is not there; never moves */
void zones_forget_times(void);
struct zone_times zone_times(int sinks);
bool zones_write(const char *file, int sinks);

#endif
