/* As much of the wire format (RFC 1035 section 4) as measuring takes. */
#include "client.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

uint16_t get16(const uint8_t *octets) { return octets[0] << 8 | octets[1]; }

uint32_t get32(const uint8_t *octets) { return (uint32_t)get16(octets) << 16 | get16(octets + 2); }

void put16(uint8_t *octets, uint16_t value) {
  octets[0] = value >> 8;
  octets[1] = value & 255;
}

void put32(uint8_t *octets, uint32_t value) {
  put16(octets, value >> 16);
  put16(octets + 2, value & 65535);
}

uint16_t type_of(const char *text) {
  static const struct {
    const char *text;
    uint16_t type;
  } types[] = {{"A", TYPE_A},     {"NS", TYPE_NS},     {"CNAME", TYPE_CNAME},
               {"SOA", TYPE_SOA}, {"AAAA", TYPE_AAAA}, {"TXT", TYPE_TXT}};
  for (size_t i = 0; i < sizeof types / sizeof *types; i++)
    if (strcasecmp(text, types[i].text) == 0) return types[i].type;
  fail("the client knows no type %s", text);
}

size_t put_name(uint8_t *octets, const char *text) {
  size_t at = 0;
  while (*text && strcmp(text, ".") != 0) {
    size_t length = strcspn(text, ".");
    if (length == 0 || length > 63 || at + length + 2 > NAME_MAX_OCTETS) fail("bad name %s", text);
    octets[at++] = length;
    memcpy(octets + at, text, length);
    at += length;
    text += length + (text[length] == '.');
  }
  octets[at++] = 0;
  return at;
}

size_t put_query(uint8_t *octets, uint16_t id, const char *name, uint16_t type) {
  memset(octets, 0, 12);
  put16(octets, id);
  put16(octets + 4, 1);
  size_t at = 12 + put_name(octets + 12, name);
  put16(octets + at, type);
  put16(octets + at + 2, 1);
  return at + 4;
}

size_t skip_name(const uint8_t *message, size_t length, size_t at) {
  while (at < length) {
    if (message[at] >= 0xc0) return at + 2;
    if (message[at] == 0) return at + 1;
    at += message[at] + 1;
  }
  fail("a name leaves its message");
}

size_t read_name(const uint8_t *message, size_t length, size_t at, uint8_t *name) {
  size_t written = 0;
  for (int jumps = 0; at < length;) {
    uint8_t label = message[at];
    if (label >= 0xc0 && at + 1 < length) {
      if (++jumps > 128) break;
      at = get16(message + at) & 0x3fff;
      continue;
    }
    if (written + label + 1 > NAME_MAX_OCTETS || at + label >= length) break;
    name[written++] = label;
    if (label == 0) return written;
    for (size_t i = 1; i <= label; i++) {
      uint8_t octet = message[at + i];
      name[written++] = octet >= 'A' && octet <= 'Z' ? octet + 32 : octet;
    }
    at += label + 1;
  }
  fail("a name cannot be read");
}

size_t answer_offset(const uint8_t *message, size_t length) {
  size_t at = 12;
  for (int questions = get16(message + 4); questions > 0; questions--)
    at = skip_name(message, length, at) + 4;
  return at;
}

struct record read_record(const uint8_t *message, size_t length, size_t at) {
  size_t fixed = skip_name(message, length, at);
  if (fixed + 10 > length) fail("a record leaves its message");
  struct record record = {
      .owner = at,
      .type = get16(message + fixed),
      .klass = get16(message + fixed + 2),
      .ttl = get32(message + fixed + 4),
      .rdata = fixed + 10,
      .rdlength = get16(message + fixed + 8),
  };
  record.end = record.rdata + record.rdlength;
  if (record.end > length) fail("a record leaves its message");
  return record;
}

uint32_t soa_serial(const uint8_t *message, const struct record *soa) {
  if (soa->rdlength < 22) fail("a SOA record is too short");
  return get32(message + soa->end - 20);
}

int connect_tcp(const struct sockaddr_in *server) {
  int fd = socket(AF_INET, SOCK_STREAM, 0), on = 1;
  if (fd < 0) fail("no socket: %s", strerror(errno));
  if (connect(fd, (const struct sockaddr *)server, sizeof *server) != 0)
    fail("cannot connect: %s", strerror(errno));
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  return fd;
}

void write_all(int fd, const void *octets, size_t length) {
  const uint8_t *at = octets;
  while (length > 0) {
    ssize_t written = write(fd, at, length);
    if (written < 0) fail("cannot write: %s", strerror(errno));
    at += written;
    length -= written;
  }
}
