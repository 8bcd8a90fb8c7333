#include "zones.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SLOTS = 1 << 16, MAX_ZONES = SLOTS / 2 };

static struct zone *slots[SLOTS];
static int count = 0;

static struct zone **slot_of(const struct name *name) {
  size_t at = name_hash(name) % SLOTS;
  while (slots[at] && !name_equal(&slots[at]->name, name)) at = (at + 1) % SLOTS;
  return &slots[at];
}

struct zone *zone_find(const struct name *name) { return *slot_of(name); }

struct zone *zone_of(const struct name *name) {
  struct zone **slot = slot_of(name);
  if (*slot) return *slot;
  if (++count > MAX_ZONES || !(*slot = calloc(1, sizeof **slot))) {
    fprintf(stderr, "sinks: too many zones\n");
    exit(1);
  }
  (*slot)->name = *name;
  return *slot;
}

void zones_forget_times(void) {
  for (int i = 0; i < SLOTS; i++)
    for (int sink = 0; slots[i] && sink < MAX_SINKS; sink++) slots[i]->seen[sink].notified_ns = 0;
}

static int by_time(const void *a, const void *b) {
  int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
  return (x > y) - (x < y);
}

struct zone_times zone_times(int sinks) {
  int64_t *all = malloc(sizeof *all * (size_t)(count * sinks + 1));
  struct zone_times times = {0, 0, 0, 0};
  if (!all) return times;
  for (int i = 0; i < SLOTS; i++)
    for (int sink = 0; slots[i] && sink < sinks; sink++)
      if (slots[i]->seen[sink].notified_ns != 0)
        all[times.pairs++] = slots[i]->seen[sink].notified_ns;
  qsort(all, (size_t)times.pairs, sizeof *all, by_time);
  if (times.pairs > 0) {
    times.first_ns = all[0];
    times.median_ns = all[times.pairs / 2];
    times.last_ns = all[times.pairs - 1];
  }
  free(all);
  return times;
}

/* One line: the serial that all show who have the zone. */
static void zone_write(FILE *to, const struct zone *zone, int sinks) {
  char text[4 * NAME_MAX_OCTETS];
  int told = 0;
  bool same = true;
  uint32_t serial = 0;
  for (int sink = 0; sink < sinks; sink++) {
    if (!zone->seen[sink].is_told) continue;
    if (told++ == 0) serial = zone->seen[sink].serial;
    same = same && serial == zone->seen[sink].serial;
  }
  name_to_text(&zone->name, text);
  if (same) fprintf(to, "%s %" PRIu32 " %d\n", text, serial, told);
  else fprintf(to, "%s different %d\n", text, told);
}

bool zones_write(const char *file, int sinks) {
  FILE *to = fopen(file, "w");
  if (!to) return false;
  for (int i = 0; i < SLOTS; i++)
    if (slots[i]) zone_write(to, slots[i], sinks);
  return fclose(to) == 0;
}
