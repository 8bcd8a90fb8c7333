#define _GNU_SOURCE
#include "ask.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { MAX_ZONES = 65536, WINDOW = 16, AGAIN_NS = 10000000, LOST_NS = 100000000 };

struct asked {
  struct name name;
  bool has_serial, is_newer, waits;
  uint32_t serial;
  int64_t sent_ns;
};

static bool add_line(struct asking *asking, char *line) {
  char *rest = NULL;
  char *zone = strtok_r(line, " \n", &rest);
  char *serial = strtok_r(NULL, " \n", &rest);
  struct asked *asked = &asking->zones[asking->count];
  if (asking->count == MAX_ZONES || !zone || !name_from_text(zone, &asked->name)) return false;
  asked->has_serial = serial != NULL;
  if (serial) asked->serial = (uint32_t)strtoul(serial, NULL, 10);
  asking->count++;
  return true;
}

bool asking_begin(struct asking *asking, const char *file, const struct sockaddr_in *server) {
  FILE *lines = fopen(file, "r");
  char line[1024];
  bool good = lines != NULL;
  *asking = (struct asking){.zones = calloc(MAX_ZONES, sizeof *asking->zones)};
  while (good && fgets(line, sizeof line, lines)) good = add_line(asking, line);
  if (lines) fclose(lines);
  asking->fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  return good && asking->fd >= 0 &&
         connect(asking->fd, (const struct sockaddr *)server, sizeof *server) == 0;
}

static void ask(struct asking *asking, int index, int64_t now) {
  uint8_t query[NAME_MAX_OCTETS + 64];
  struct asked *asked = &asking->zones[index];
  size_t length = soa_query(query, (uint16_t)index, &asked->name);
  asked->sent_ns = now;
  asked->waits = true;
  /* Nobody listens yet: it is asked again. */
  if (send(asking->fd, query, length, MSG_NOSIGNAL) < 0) return;
}

static void take_answers(struct asking *asking) {
  uint8_t message[MESSAGE_MAX_OCTETS];
  for (;;) {
    ssize_t length = recv(asking->fd, message, sizeof message, MSG_DONTWAIT);
    if (length < 0) return;
    if (length < HEADER_OCTETS || get16(message) >= asking->count) continue;
    struct asked *asked = &asking->zones[get16(message)];
    asked->waits = false;
    const uint8_t *numbers = first_soa_numbers(message, (size_t)length);
    if (!numbers || asked->is_newer) continue;
    if (asked->has_serial && (int32_t)(get32(numbers) - asked->serial) <= 0) continue;
    asked->is_newer = true;
    asking->last_ns = now_ns();
    if (asking->newer++ == 0) asking->first_ns = asking->last_ns;
  }
}

bool asking_step(struct asking *asking, int64_t now) {
  take_answers(asking);
  while (asking->first < asking->count && asking->zones[asking->first].is_newer) asking->first++;
  int looked_for = 0;
  for (int i = asking->first; i < asking->count && looked_for < WINDOW; i++) {
    const struct asked *asked = &asking->zones[i];
    if (asked->is_newer) continue;
    looked_for++;
    if (now - asked->sent_ns >= (asked->waits ? LOST_NS : AGAIN_NS)) ask(asking, i, now);
  }
  return asking->newer == asking->count;
}

void asking_end(struct asking *asking) {
  close(asking->fd);
  free(asking->zones);
}
