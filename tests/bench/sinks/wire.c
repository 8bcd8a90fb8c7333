#include "wire.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { QR = 0x80, AA = 0x04, RCODE_REFUSED = 5, CLASS_IN = 1 };
enum { SOA_NUMBERS_OCTETS = 20, MAX_POINTERS = 64 };

int64_t now_ns(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec * 1000000000ll + time.tv_nsec;
}

uint16_t get16(const uint8_t *at) { return (uint16_t)(at[0] << 8 | at[1]); }
uint32_t get32(const uint8_t *at) { return (uint32_t)get16(at) << 16 | get16(at + 2); }
void put16(uint8_t *at, uint16_t value) {
  at[0] = value >> 8;
  at[1] = value & 0xff;
}
void put32(uint8_t *at, uint32_t value) {
  put16(at, value >> 16);
  put16(at + 2, value & 0xffff);
}

/* Reads the name at *at, following pointers, and moves *at behind it. */
static bool name_read(const uint8_t *message, size_t length, size_t *at, struct name *name) {
  size_t from = *at;
  bool jumped = false;
  int pointers = 0;
  name->length = 0;
  while (from < length) {
    uint8_t label = message[from];
    if (label >= 0xc0) {
      if (from + 2 > length || ++pointers > MAX_POINTERS) return false;
      if (!jumped) *at = from + 2;
      jumped = true;
      from = get16(message + from) & 0x3fff;
      continue;
    }
    if (label > 63 || from + 1 + label > length) return false;
    if (name->length + 1 + label > NAME_MAX_OCTETS) return false;
    name->octets[name->length++] = label;
    for (size_t i = 1; i <= label; i++) {
      uint8_t octet = message[from + i];
      name->octets[name->length++] = octet >= 'A' && octet <= 'Z' ? octet + 32 : octet;
    }
    from += 1 + label;
    if (label == 0) {
      if (!jumped) *at = from;
      return true;
    }
  }
  return false;
}

bool name_from_text(const char *text, struct name *name) {
  name->length = 0;
  while (*text != '\0') {
    const char *dot = strchr(text, '.');
    size_t label = dot ? (size_t)(dot - text) : strlen(text);
    if (label == 0 || label > 63 || name->length + label + 2 > NAME_MAX_OCTETS) return false;
    name->octets[name->length++] = (uint8_t)label;
    for (size_t i = 0; i < label; i++)
      name->octets[name->length++] = (uint8_t)tolower((unsigned char)text[i]);
    text += label + (dot ? 1 : 0);
  }
  name->octets[name->length++] = 0;
  return true;
}

void name_to_text(const struct name *name, char text[4 * NAME_MAX_OCTETS]) {
  char *to = text;
  for (size_t at = 0; name->octets[at] != 0; at += 1 + name->octets[at]) {
    for (size_t i = 1; i <= name->octets[at]; i++) {
      uint8_t octet = name->octets[at + i];
      if (isalnum(octet) || octet == '-' || octet == '_') *to++ = (char)octet;
      else to += sprintf(to, "?%02x", octet);
    }
    *to++ = '.';
  }
  *to = '\0';
}

bool name_equal(const struct name *a, const struct name *b) {
  return a->length == b->length && memcmp(a->octets, b->octets, a->length) == 0;
}

static const uint64_t HASH_START = 0xcbf29ce484222325u;

/* FNV-1a. */
static uint64_t hash_on(uint64_t hash, const uint8_t *octets, size_t length) {
  for (size_t i = 0; i < length; i++) hash = (hash ^ octets[i]) * 0x100000001b3u;
  return hash;
}

/* Sums of plain FNV hashes could cancel out; mixed ones do not. */
static uint64_t hash_mixed(uint64_t hash) {
  hash = (hash ^ hash >> 30) * 0xbf58476d1ce4e5b9u;
  hash = (hash ^ hash >> 27) * 0x94d049bb133111ebu;
  return hash ^ hash >> 31;
}

uint64_t name_hash(const struct name *name) {
  return hash_mixed(hash_on(HASH_START, name->octets, name->length));
}

/* A record of a message. */
struct record {
  struct name owner;
  uint16_t type;
  uint32_t ttl;
  size_t rdata, rdata_length;
};

static bool record_read(const uint8_t *message, size_t length, size_t *at, struct record *record) {
  if (!name_read(message, length, at, &record->owner) || *at + 10 > length) return false;
  record->type = get16(message + *at);
  record->ttl = get32(message + *at + 4);
  record->rdata_length = get16(message + *at + 8);
  record->rdata = *at + 10;
  *at = record->rdata + record->rdata_length;
  return *at <= length;
}

static uint64_t record_hash_of(const struct name *owner, uint16_t type, uint32_t ttl,
                               const uint8_t *rdata, size_t rdata_length) {
  uint8_t fixed[6];
  put16(fixed, type);
  put32(fixed + 2, ttl);
  uint64_t hash = hash_on(HASH_START, owner->octets, owner->length);
  return hash_mixed(hash_on(hash_on(hash, fixed, sizeof fixed), rdata, rdata_length));
}

static bool record_hash(const uint8_t *message, size_t length, const struct record *record,
                        uint64_t *hash) {
  const uint8_t *rdata = message + record->rdata;
  size_t rdata_length = record->rdata_length;
  struct name target;
  if (record->type == TYPE_NS || record->type == TYPE_CNAME || record->type == TYPE_PTR) {
    size_t at = record->rdata;
    if (!name_read(message, length, &at, &target)) return false;
    rdata = target.octets;
    rdata_length = target.length;
  }
  *hash = record_hash_of(&record->owner, record->type, record->ttl, rdata, rdata_length);
  return true;
}

static bool soa_serial(const uint8_t *message, const struct record *record, uint32_t *serial) {
  if (record->rdata_length < SOA_NUMBERS_OCTETS + 2) return false;
  *serial = get32(message + record->rdata + record->rdata_length - SOA_NUMBERS_OCTETS);
  return true;
}

/* Moves *at behind the questions. */
static bool skip_questions(const uint8_t *message, size_t length, size_t *at) {
  struct name name;
  *at = HEADER_OCTETS;
  for (int count = get16(message + 4); count > 0; count--) {
    if (!name_read(message, length, at, &name)) return false;
    *at += 4;
  }
  return *at <= length;
}

bool request_read(const uint8_t *message, size_t length, struct request *request) {
  if (length < HEADER_OCTETS || (message[2] & QR) || get16(message + 4) != 1) return false;
  size_t at = HEADER_OCTETS;
  if (!name_read(message, length, &at, &request->zone) || at + 4 > length) return false;
  request->opcode = message[2] >> 3 & 0xf;
  request->type = get16(message + at);
  request->question_end = at + 4;
  request->has_serial = false;
  struct record record;
  at += 4;
  if (get16(message + 6) > 0 && record_read(message, length, &at, &record) &&
      record.type == TYPE_SOA)
    request->has_serial = soa_serial(message, &record, &request->serial);
  return true;
}

static size_t put_soa(uint8_t *to, uint32_t serial) {
  static const uint8_t HEAD[] = {0xc0, 0x0c, 0, TYPE_SOA, 0, CLASS_IN, 0, 0, 0, 0, 0, 22, 0, 0};
  memcpy(to, HEAD, sizeof HEAD);
  memset(to + sizeof HEAD, 0, SOA_NUMBERS_OCTETS);
  put32(to + sizeof HEAD, serial);
  return sizeof HEAD + SOA_NUMBERS_OCTETS;
}

static size_t query_make(uint8_t *to, uint16_t id, const struct name *zone, uint16_t type) {
  memset(to, 0, HEADER_OCTETS);
  put16(to, id);
  put16(to + 4, 1);
  memcpy(to + HEADER_OCTETS, zone->octets, zone->length);
  size_t at = HEADER_OCTETS + zone->length;
  put16(to + at, type);
  put16(to + at + 2, CLASS_IN);
  return at + 4;
}

size_t soa_query(uint8_t *to, uint16_t id, const struct name *zone) {
  return query_make(to, id, zone, TYPE_SOA);
}

size_t transfer_query(uint8_t *to, uint16_t id, const struct name *zone, const uint32_t *serial) {
  size_t at = query_make(to, id, zone, serial ? TYPE_IXFR : TYPE_AXFR);
  if (!serial) return at;
  put16(to + 8, 1);
  return at + put_soa(to + at, *serial);
}

size_t reply_make(uint8_t *message, const struct request *request, bool refused,
                  const uint32_t *serial) {
  message[2] |= QR | AA;
  message[3] = refused ? RCODE_REFUSED : 0;
  memset(message + 6, 0, 6); /* no records but the question */
  if (!serial) return request->question_end;
  put16(message + 6, 1);
  return request->question_end + put_soa(message + request->question_end, *serial);
}

const uint8_t *first_soa_numbers(const uint8_t *message, size_t length) {
  size_t at;
  struct record record;
  if (length < HEADER_OCTETS || !skip_questions(message, length, &at)) return NULL;
  if (!record_read(message, length, &at, &record) || record.type != TYPE_SOA) return NULL;
  return message + at - SOA_NUMBERS_OCTETS;
}

static bool judge_fail(struct judge *judge, const char *fault) {
  judge->fault = fault;
  return true;
}

static bool judge_end(struct judge *judge, enum form form) {
  judge->state = ENDED;
  judge->form = form;
  judge->has_zone = true;
  judge->serial = judge->newest;
  return true;
}

/* An SOA record: it ends a part of the transfer, or all of it (RFC 1995 §4, RFC 5936 §2.2). */
static bool judge_soa(struct judge *judge, uint32_t serial) {
  switch (judge->state) {
    case FIRST:
      judge->newest = serial;
      judge->state = SECOND;
      return false;
    case SECOND:
      if (!judge->has_zone || serial != judge->serial)
        return judge_fail(judge, "differences that begin at another serial");
      judge->state = REMOVED;
      return false;
    case ALL:
      if (serial != judge->newest) return judge_fail(judge, "another SOA at the end of the AXFR");
      return judge_end(judge, FORM_AXFR);
    case REMOVED:
      judge->serial = serial;
      judge->state = ADDED;
      return false;
    case ADDED:
      if (judge->serial == judge->newest && serial == judge->newest)
        return judge_end(judge, FORM_IXFR);
      if (serial != judge->serial) return judge_fail(judge, "a gap between two differences");
      judge->state = REMOVED;
      return false;
    case ENDED: break;
  }
  return judge_fail(judge, "a record after the end");
}

static bool judge_record(struct judge *judge, uint64_t hash) {
  if (judge->state == SECOND) { /* no second SOA: the whole zone */
    judge->state = ALL;
    judge->zone = (struct zone_sum){0, 0};
  }
  if (judge->state == FIRST || judge->state == ENDED)
    return judge_fail(judge, "a record before or after all SOA records");
  bool removed = judge->state == REMOVED;
  judge->zone.records += removed ? -1 : 1;
  judge->zone.sum += removed ? -hash : hash;
  return false;
}

bool judge_message(struct judge *judge, const uint8_t *message, size_t length) {
  if (length < HEADER_OCTETS || !(message[2] & QR)) return judge_fail(judge, "no reply");
  if (message[3] & 0xf) return judge_fail(judge, "an RCODE but NOERROR");
  size_t at;
  if (!skip_questions(message, length, &at)) return judge_fail(judge, "a malformed question");
  int count = get16(message + 6);
  for (int i = 0; i < count; i++) {
    struct record record;
    uint64_t hash;
    uint32_t serial;
    if (!record_read(message, length, &at, &record))
      return judge_fail(judge, "a malformed record");
    if (record.type == TYPE_SOA) {
      if (!soa_serial(message, &record, &serial)) return judge_fail(judge, "a malformed SOA");
      if (judge_soa(judge, serial)) return true;
    } else {
      if (!record_hash(message, length, &record, &hash))
        return judge_fail(judge, "malformed RDATA");
      if (judge_record(judge, hash)) return true;
    }
  }
  /* A lone SOA at our serial: there is nothing newer. */
  if (judge->state == SECOND && judge->has_zone && judge->newest == judge->serial)
    return judge_end(judge, FORM_SOA);
  return false;
}

bool sum_line(char *line, struct zone_sum *zone) {
  char *rest = NULL;
  char *owner = strtok_r(line, " ", &rest);
  char *ttl = strtok_r(NULL, " ", &rest);
  char *type = strtok_r(NULL, " ", &rest);
  char *rdata = strtok_r(NULL, " \n", &rest);
  struct name name, target;
  uint8_t address[16];
  if (!rdata || !name_from_text(owner, &name)) return false;
  uint32_t seconds = (uint32_t)strtoul(ttl, NULL, 10);
  uint64_t hash;
  if (strcmp(type, "A") == 0 && inet_pton(AF_INET, rdata, address) == 1)
    hash = record_hash_of(&name, TYPE_A, seconds, address, 4);
  else if (strcmp(type, "AAAA") == 0 && inet_pton(AF_INET6, rdata, address) == 1)
    hash = record_hash_of(&name, TYPE_AAAA, seconds, address, 16);
  else if (strcmp(type, "NS") == 0 && name_from_text(rdata, &target))
    hash = record_hash_of(&name, TYPE_NS, seconds, target.octets, target.length);
  else return false;
  zone->records++;
  zone->sum += hash;
  return true;
}
