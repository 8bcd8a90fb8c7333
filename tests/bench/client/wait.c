/* Mode wait: asks one question again and again until the answer is the awaited one. */
#include "client.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

/* What is awaited; whatever is not given is not asked for. */
struct awaited {
  int has_serial, has_rcode;
  uint32_t serial;
  int rcode;
  uint8_t rdata[256];
  size_t rdata_length;
};

static size_t from_hex(const char *hex, uint8_t *octets, size_t room) {
  size_t length = strlen(hex) / 2;
  if (length > room) fail("--rdata is too long");
  for (size_t i = 0; i < length; i++) {
    char pair[3] = {hex[2 * i], hex[2 * i + 1], 0};
    octets[i] = strtoul(pair, NULL, 16);
  }
  return length;
}

/* Whether an answer is the awaited one: authoritative, and, unless an RCODE is, with a record. */
static int fits(const struct awaited *awaited, const uint8_t *message, size_t length, uint16_t type) {
  int rcode = message[3] & 15;
  if (awaited->has_rcode) return rcode == awaited->rcode;
  if (rcode != 0 || !(message[2] & 4)) return 0;
  size_t at = answer_offset(message, length);
  for (int left = get16(message + 6); left > 0; left--) {
    struct record record = read_record(message, length, at);
    at = record.end;
    if (record.type != type) continue;
    if (awaited->has_serial) return (int32_t)(soa_serial(message, &record) - awaited->serial) >= 0;
    if (awaited->rdata_length == 0) return 1;
    if (record.rdlength == awaited->rdata_length &&
        memcmp(message + record.rdata, awaited->rdata, record.rdlength) == 0)
      return 1;
  }
  return 0;
}

int mode_wait(void) {
  struct sockaddr_in server = server_address();
  struct awaited awaited = {0};
  uint16_t type = type_of(must_have("type")), id = 0;
  if (option("serial", NULL)) {
    awaited.has_serial = 1;
    awaited.serial = strtoul(option("serial", NULL), NULL, 10);
  }
  if (option("rcode", NULL)) {
    awaited.has_rcode = 1;
    awaited.rcode = option_number("rcode", 0);
  }
  if (option("rdata", NULL))
    awaited.rdata_length = from_hex(option("rdata", NULL), awaited.rdata, sizeof awaited.rdata);
  useconds_t pause = option_number("pause", 200);
  double deadline = clock_seconds() + option_number("timeout", 60);

  uint8_t query[512], message[MESSAGE_MAX_OCTETS];
  size_t length = put_query(query, 0, must_have("name"), type);
  int fd = socket(AF_INET, SOCK_DGRAM, 0);
  struct timeval patience = {.tv_usec = 20 * 1000}; /* a server that starts may drop questions */
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  if (connect(fd, (struct sockaddr *)&server, sizeof server) != 0)
    fail("cannot connect: %s", strerror(errno));
  printf("{\"ready\":true}\n");
  fflush(stdout);

  double clock_began = clock_seconds(), cpu_began = cpu_seconds();
  for (uint64_t questions = 1;; questions++) {
    put16(query, ++id);
    ssize_t got = -1;
    /* Refused: nobody listens yet. */
    if (write(fd, query, length) >= 0)
      while ((got = read(fd, message, sizeof message)) >= 12 && get16(message) != id) continue;
    if (got >= 12 && fits(&awaited, message, got, type)) {
      printf("{\"at\":%.9f,\"questions\":%llu,", unix_seconds(), (unsigned long long)questions);
      print_cost(clock_began, cpu_began);
      printf("}\n");
      return 0;
    }
    if (clock_seconds() > deadline) fail("what was awaited has not come");
    if (pause > 0) usleep(pause);
  }
}
