/* What a zone holds, as two sums that do not depend on the records' order. */
#include "client.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

static uint64_t hash(uint64_t state, const uint8_t *octets, size_t length) {
  for (size_t i = 0; i < length; i++) state = (state ^ octets[i]) * 0x100000001b3u; /* FNV-1a */
  return state;
}

/* Spreads a hash, so that sums of similar ones do not cancel out. */
static uint64_t mix(uint64_t value) {
  value = (value ^ (value >> 33)) * 0xff51afd7ed558ccdu;
  value = (value ^ (value >> 33)) * 0xc4ceb9fe1a85ec53u;
  return value ^ (value >> 33);
}

void content_add(struct content *content, const uint8_t *owner, size_t owner_length, uint16_t type,
                 uint32_t ttl, const uint8_t *rdata, size_t rdata_length) {
  uint8_t fixed[6];
  put16(fixed, type);
  put32(fixed + 2, ttl);
  uint64_t state = hash(0xcbf29ce484222325u, owner, owner_length);
  state = mix(hash(hash(state, fixed, sizeof fixed), rdata, rdata_length));
  content->sum += state;
  content->mixed ^= mix(state + 0x9e3779b97f4a7c15u);
  content->records++;
}

void content_add_message(struct content *content, const uint8_t *message, size_t length) {
  size_t at = answer_offset(message, length);
  for (int left = get16(message + 6); left > 0; left--) {
    struct record record = read_record(message, length, at);
    at = record.end;
    if (record.type == TYPE_SOA) continue;
    uint8_t owner[NAME_MAX_OCTETS], name[NAME_MAX_OCTETS];
    size_t owner_length = read_name(message, length, record.owner, owner);
    const uint8_t *rdata = message + record.rdata;
    size_t rdata_length = record.rdlength;
    if (record.type == TYPE_NS || record.type == TYPE_CNAME) {
      rdata_length = read_name(message, length, record.rdata, name);
      rdata = name;
    }
    content_add(content, owner, owner_length, record.type, record.ttl, rdata, rdata_length);
  }
}

void content_print(const struct content *content) {
  printf("\"contentRecords\":%llu,\"content\":\"%016llx%016llx\"",
         (unsigned long long)content->records, (unsigned long long)content->sum,
         (unsigned long long)content->mixed);
}

/* The name of a master file as octets, in lower case; `@` and names without a last dot are relative. */
static size_t master_name(const char *text, const char *origin, uint8_t *octets) {
  char absolute[1024];
  int is_absolute = text[strlen(text) - 1] == '.', is_origin = strcmp(text, "@") == 0;
  const char *parts[] = {is_origin ? "" : text, is_absolute || is_origin ? "" : ".",
                         is_absolute ? "" : origin};
  if (strlen(text) + strlen(origin) + 2 > sizeof absolute) fail("the name %s is too long", text);
  snprintf(absolute, sizeof absolute, "%s%s%s", parts[0], parts[1], parts[2]);
  for (char *at = absolute; *at; at++)
    if (*at >= 'A' && *at <= 'Z') *at += 32;
  return put_name(octets, absolute);
}

static size_t master_rdata(uint16_t type, const char *text, const char *origin, uint8_t *octets) {
  switch (type) {
    case TYPE_A:
      if (inet_pton(AF_INET, text, octets) != 1) fail("%s is no IPv4 address", text);
      return 4;
    case TYPE_AAAA:
      if (inet_pton(AF_INET6, text, octets) != 1) fail("%s is no IPv6 address", text);
      return 16;
    case TYPE_TXT: /* one string without quotes or blanks in it */
      octets[0] = strlen(text);
      memcpy(octets + 1, text, octets[0]);
      return octets[0] + 1;
    default:
      return master_name(text, origin, octets);
  }
}

/* Lines `OWNER [TTL] IN TYPE RDATA` below $ORIGIN and $TTL, as the bench writes them. */
int mode_content(void) {
  FILE *file = fopen(must_have("file"), "r");
  if (!file) fail("cannot open %s", must_have("file"));
  struct content content = {0};
  char line[1024], origin[NAME_MAX_OCTETS + 1] = ".";
  uint32_t default_ttl = 0;
  while (fgets(line, sizeof line, file)) {
    char owner[256], type[16], rdata[256];
    unsigned ttl = default_ttl;
    if (sscanf(line, "$ORIGIN %255s", origin) == 1) continue;
    if (sscanf(line, "$TTL %u", &ttl) == 1) {
      default_ttl = ttl;
      continue;
    }
    if (sscanf(line, "%255s IN %15s %255s", owner, type, rdata) != 3 &&
        sscanf(line, "%255s %u IN %15s %255s", owner, &ttl, type, rdata) != 4) {
      if (line[0] == '\n' || line[0] == ';') continue;
      fail("cannot read the line %s", line);
    }
    if (type_of(type) == TYPE_SOA) continue;
    uint8_t name[NAME_MAX_OCTETS], octets[NAME_MAX_OCTETS];
    size_t name_length = master_name(owner, origin, name);
    size_t length = master_rdata(type_of(type), rdata, origin, octets);
    content_add(&content, name, name_length, type_of(type), ttl, octets, length);
  }
  fclose(file);
  printf("{");
  content_print(&content);
  printf("}\n");
  return 0;
}
