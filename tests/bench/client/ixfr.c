/* Mode ixfr: differences, each on a connection of its own, record by record. */
#include "client.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

struct answer {
  double connected, first, last; /* seconds; the last two from the query on */
  uint64_t octets, messages, records;
  uint32_t serial;   /* the server's */
  int soas;          /* SOA records so far */
  int differences;   /* whether the second record was a SOA record */
  int current, done; /* nothing is newer; all has come */
};

/* RFC 1995 section 4: new SOA, then per difference old SOA, removed, new SOA, added; new SOA. */
static void take_record(struct answer *answer, const uint8_t *message, const struct record *record) {
  answer->records++;
  if (record->type != TYPE_SOA) return;
  uint32_t serial = soa_serial(message, record);
  if (answer->soas == 0) answer->serial = serial;
  if (answer->records == 2) answer->differences = 1;
  int is_old_place = answer->soas % 2 == 1;
  if (answer->soas > 0 && is_old_place && serial == answer->serial) answer->done = 1;
  answer->soas++;
}

static void take(struct answer *answer, const uint8_t *message, size_t length, uint32_t asked) {
  if (length < 12) fail("a message has %zu octets", length);
  if (message[3] & 15) fail("the server answers with RCODE %d", message[3] & 15);
  answer->messages++;
  int count = get16(message + 6);
  size_t at = answer_offset(message, length);
  for (int i = 0; i < count; i++) {
    struct record record = read_record(message, length, at);
    take_record(answer, message, &record);
    at = record.end;
  }
  /* A lone SOA that is no newer than ours says that there is nothing more. */
  if (answer->messages == 1 && count == 1 && (int32_t)(answer->serial - asked) <= 0)
    answer->current = answer->done = 1;
}

static size_t put_ixfr_query(uint8_t *octets, const char *zone, uint32_t serial) {
  size_t at = put_query(octets, 0x5a44, zone, TYPE_IXFR);
  put16(octets + 8, 1);
  at += put_name(octets + at, zone);
  put16(octets + at, TYPE_SOA);
  put16(octets + at + 2, 1);
  put32(octets + at + 4, 0);
  put16(octets + at + 8, 22);
  memset(octets + at + 10, 0, 22);
  put32(octets + at + 12, serial);
  return at + 32;
}

static void read_exactly(int fd, uint8_t *octets, size_t length) {
  while (length > 0) {
    ssize_t got = read(fd, octets, length);
    if (got < 0) fail("cannot read: %s", strerror(errno));
    if (got == 0) fail("the transfer ended early");
    octets += got;
    length -= got;
  }
}

static void ask(struct answer *answer, const struct sockaddr_in *server, int udp, uint8_t *query,
                size_t length, uint32_t serial) {
  static uint8_t message[MESSAGE_MAX_OCTETS];
  struct timeval limit = {.tv_sec = 60};
  double began = clock_seconds();
  int fd = udp ? socket(AF_INET, SOCK_DGRAM, 0) : connect_tcp(server);
  if (udp && connect(fd, (const struct sockaddr *)server, sizeof *server) != 0)
    fail("cannot connect: %s", strerror(errno));
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  double asked = clock_seconds();
  answer->connected = asked - began;
  write_all(fd, udp ? query + 2 : query, udp ? length : length + 2);
  do {
    ssize_t got;
    if (udp) {
      if ((got = read(fd, message, sizeof message)) < 0) fail("cannot read: %s", strerror(errno));
    } else {
      uint8_t prefix[2];
      read_exactly(fd, prefix, 2);
      got = get16(prefix);
      read_exactly(fd, message, got);
    }
    answer->last = clock_seconds() - asked;
    if (answer->messages == 0) answer->first = answer->last;
    answer->octets += got;
    take(answer, message, got, serial);
  } while (!answer->done && !udp);
  close(fd);
}

int mode_ixfr(void) {
  int count = option_number("repeat", 1), udp = option_number("udp", 0) != 0;
  uint32_t serial = strtoul(must_have("serial"), NULL, 10);
  struct sockaddr_in server = server_address();
  uint8_t query[1024];
  size_t length = put_ixfr_query(query + 2, must_have("zone"), serial);
  put16(query, length);
  double *first = calloc(count, sizeof *first), *last = calloc(count, sizeof *last);
  double *connected = calloc(count, sizeof *connected);
  double clock_began = clock_seconds(), cpu_began = cpu_seconds();
  struct answer answer = {0};
  for (int i = 0; i < count; i++) {
    answer = (struct answer){0};
    ask(&answer, &server, udp, query, length, serial);
    first[i] = answer.first;
    last[i] = answer.last;
    connected[i] = answer.connected;
  }
  const char *kind = answer.current ? "current" : answer.differences ? "differences" : "whole";
  printf("{\"kind\":\"%s\",\"done\":%s,\"serial\":%u,\"octets\":%llu,\"messages\":%llu,"
         "\"records\":%llu,",
         kind, answer.done ? "true" : "false", answer.serial, (unsigned long long)answer.octets,
         (unsigned long long)answer.messages, (unsigned long long)answer.records);
  print_seconds("connected", connected, count);
  printf(",");
  print_seconds("first", first, count);
  printf(",");
  print_seconds("last", last, count);
  printf(",");
  print_cost(clock_began, cpu_began);
  printf("}\n");
  return 0;
}
