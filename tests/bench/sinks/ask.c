#define _GNU_SOURCE
#include "ask.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { MAX_ZONES = 65536, IN_FLIGHT = 256, IDLE_NS = 1000000, AGAIN_NS = 5000000,
       LOST_NS = 100000000, LOOKS = 2000 };

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
  asked->sent_ns = asking->sent_ns = now;
  if (!asked->waits) asking->in_flight++;
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
    if (asked->waits) asking->in_flight--;
    asked->waits = false;
    const uint8_t *numbers = first_soa_numbers(message, (size_t)length);
    if (!numbers || asked->is_newer) continue;
    if (asked->has_serial && (int32_t)(get32(numbers) - asked->serial) <= 0) continue;
    asked->is_newer = true;
    asking->last_ns = now_ns();
    if (asking->newer++ == 0) asking->first_ns = asking->last_ns;
  }
}

/* Asks the next zone, if it is due and there is room. Returns whether it was asked. */
static bool ask_next(struct asking *asking, int64_t now, int most) {
  int index = asking->next;
  struct asked *asked = &asking->zones[index];
  asking->next = (index + 1) % asking->count;
  if (asked->is_newer || now - asked->sent_ns < (asked->waits ? LOST_NS : AGAIN_NS)) return false;
  if (!asked->waits && asking->in_flight >= most) return false;
  ask(asking, index, now);
  return true;
}

bool asking_step(struct asking *asking, int64_t now) {
  take_answers(asking);
  if (asking->newer == asking->count) return true;
  if (asking->newer == 0) {
    if (now - asking->sent_ns >= IDLE_NS) ask_next(asking, now, asking->count);
    return false;
  }
  int looks = asking->count < LOOKS ? asking->count : LOOKS;
  for (int i = 0; i < looks; i++) ask_next(asking, now, IN_FLIGHT);
  return false;
}

void asking_end(struct asking *asking) {
  close(asking->fd);
  free(asking->zones);
}
