/*
 * DNS messages as a secondary reads them: names, NOTIFY, SOA, and the records of a transfer,
 * summed so that two zones can be compared without keeping either.
 *
 * Pure. Independent of zonecast's own code: it is what the bench's zones are compared by.
 * Limitation: RDATA with names in it is read for SOA, NS, CNAME and PTR alone; that is what
 * the bench's zones hold.
 */
#ifndef WIRE_H
#define WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { NAME_MAX_OCTETS = 255, MESSAGE_MAX_OCTETS = 65535, HEADER_OCTETS = 12 };
enum { TYPE_A = 1, TYPE_NS = 2, TYPE_CNAME = 5, TYPE_SOA = 6, TYPE_PTR = 12, TYPE_AAAA = 28,
       TYPE_IXFR = 251, TYPE_AXFR = 252 };
enum { OPCODE_QUERY = 0, OPCODE_NOTIFY = 4 };

/* An owner or zone name: wire format, uncompressed, lower case. */
struct name {
  uint8_t octets[NAME_MAX_OCTETS];
  size_t length;
};

/* All records of a zone but its SOA, in any order: equal zones have equal sums. */
struct zone_sum {
  int64_t records;
  uint64_t sum;
};

/* A query or NOTIFY. */
struct request {
  struct name zone;
  uint16_t type;
  uint8_t opcode;
  bool has_serial; /* a NOTIFY may carry the new SOA (RFC 1996 §3.7) */
  uint32_t serial;
  size_t question_end;
};

enum form { FORM_NONE, FORM_SOA, FORM_AXFR, FORM_IXFR };

/* The records of one transfer, read message by message. */
struct judge {
  enum { FIRST, SECOND, ALL, REMOVED, ADDED, ENDED } state;
  bool has_zone;  /* whether `serial` and `zone` are of an earlier transfer */
  uint32_t serial; /* before; after the end the new one */
  uint32_t newest;
  struct zone_sum zone;
  enum form form;
  const char *fault; /* why it is no transfer; NULL while it is one */
};

int64_t now_ns(void);

uint16_t get16(const uint8_t *at);
void put16(uint8_t *at, uint16_t value);
uint32_t get32(const uint8_t *at);
void put32(uint8_t *at, uint32_t value);

/* "app.example." with no escapes. False: no name. */
bool name_from_text(const char *text, struct name *name);
void name_to_text(const struct name *name, char text[4 * NAME_MAX_OCTETS]);
bool name_equal(const struct name *a, const struct name *b);
uint64_t name_hash(const struct name *name);

/* False: no whole query or NOTIFY with one question. */
bool request_read(const uint8_t *message, size_t length, struct request *request);

/* An AXFR query, or with a serial an IXFR query. Returns its octets. */
size_t transfer_query(uint8_t *to, uint16_t id, const struct name *zone, const uint32_t *serial);

/* An SOA query. Returns its octets. */
size_t soa_query(uint8_t *to, uint16_t id, const struct name *zone);

/* Turns a request into its reply, in place: REFUSED, or with a serial an SOA record. */
size_t reply_make(uint8_t *message, const struct request *request, bool refused,
                  const uint32_t *serial);

/* The SOA's last 20 octets (serial and timers) that the message begins with; NULL: none. */
const uint8_t *first_soa_numbers(const uint8_t *message, size_t length);

/* One message of the transfer. Returns whether it was the last, or judge->fault is set. */
bool judge_message(struct judge *judge, const uint8_t *message, size_t length);

/* Adds "owner TTL TYPE RDATA" (A, AAAA, NS; absolute names). False: no such line. */
bool sum_line(char *line, struct zone_sum *zone);

#endif
