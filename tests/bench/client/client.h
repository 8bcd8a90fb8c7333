/* The measuring client's parts: see main.c. */
#ifndef CLIENT_H
#define CLIENT_H

#include <netinet/in.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* RR types and RCODEs used here. */
enum { TYPE_A = 1, TYPE_NS = 2, TYPE_CNAME = 5, TYPE_SOA = 6, TYPE_TXT = 16, TYPE_AAAA = 28,
       TYPE_IXFR = 251, TYPE_AXFR = 252 };

enum { NAME_MAX_OCTETS = 255, MESSAGE_MAX_OCTETS = 65535 };

/* --- main.c: options ------------------------------------------------------------------------- */

/* The value of --NAME, or `fallback`. */
const char *option(const char *name, const char *fallback);
/* The value of --NAME; ends the program when it is not given. */
const char *must_have(const char *name);
double option_number(const char *name, double fallback);
/* The address of --addr and --port. */
struct sockaddr_in server_address(void);
/* Prints a message on stderr and ends the program with 1. */
void fail(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));

/* --- clock.c ----------------------------------------------------------------------------------- */

/* Seconds of the monotonic clock: for lengths of time. */
double clock_seconds(void);
/* Seconds of the Unix clock: for points in time. */
double unix_seconds(void);
/* CPU seconds this process has used, user and system. */
double cpu_seconds(void);
/* Prints `"wall":…,"cpu":…,"cpuShare":…` of what was done since the two readings. */
void print_cost(double clock_began, double cpu_began);
void print_seconds(const char *name, const double *values, size_t count);

/* --- dns.c ------------------------------------------------------------------------------------- */

uint16_t get16(const uint8_t *octets);
uint32_t get32(const uint8_t *octets);
void put16(uint8_t *octets, uint16_t value);
void put32(uint8_t *octets, uint32_t value);
uint16_t type_of(const char *text);
/* Encodes a name without escapes, absolute or not. Returns its length in octets. */
size_t put_name(uint8_t *octets, const char *text);
/* Encodes a query. Returns its length; `octets` has room for 512. */
size_t put_query(uint8_t *octets, uint16_t id, const char *name, uint16_t type);
/* The offset behind the name at `at`. Ends the program when it leaves the message. */
size_t skip_name(const uint8_t *message, size_t length, size_t at);
/* Copies the name at `at`, decompressed and in lower case. Returns its length in octets. */
size_t read_name(const uint8_t *message, size_t length, size_t at, uint8_t *name);

struct record {
  size_t owner; /* offsets in the message */
  uint16_t type, klass;
  uint32_t ttl;
  size_t rdata, rdlength, end;
};

/* The offset of the answer section. */
size_t answer_offset(const uint8_t *message, size_t length);
struct record read_record(const uint8_t *message, size_t length, size_t at);
/* The serial of a SOA record. */
uint32_t soa_serial(const uint8_t *message, const struct record *soa);
/* Connects a blocking TCP socket. */
int connect_tcp(const struct sockaddr_in *server);
void write_all(int fd, const void *octets, size_t length);

/* --- content.c --------------------------------------------------------------------------------- */

/* Sums over records, whatever their order; names count in lower case, SOA records not at all. */
struct content {
  uint64_t sum, mixed;
  uint64_t records;
};

void content_add(struct content *, const uint8_t *owner, size_t owner_length, uint16_t type,
                 uint32_t ttl, const uint8_t *rdata, size_t rdata_length);
/* Adds a message's answers. */
void content_add_message(struct content *, const uint8_t *message, size_t length);
void content_print(const struct content *);

/* --- modes ------------------------------------------------------------------------------------- */

int mode_axfr(void);
int mode_raw(void);
int mode_ixfr(void);
int mode_questions(void);
int mode_wait(void);
int mode_content(void);
int mode_abuse(void);
int mode_probe(void);

/* --- reader.c: many transfers at once ---------------------------------------------------------- */

struct transfer {
  int fd;
  double began, first, last;
  uint64_t octets, messages, records;
  /* State of the reader. */
  uint8_t *buffer; /* the part of a message that waits for the rest */
  size_t held;
  uint8_t soa_tail[20];
  int soa_known;
};

/* Called with each message of a transfer, when there is something beyond measuring to do. */
typedef void message_callback(void *context, const uint8_t *message, size_t length);

/*
 * Sends `query` (with its two octets of length) on new connections and reads all to their end.
 *
 * `each` and `save` may be null; `save` is given the stream of the first transfer.
 */
void read_transfers(struct transfer *, int count, const struct sockaddr_in *server,
                    const uint8_t *query, size_t query_length, double timeout,
                    message_callback *each, void *context, FILE *save);
/* Prints what was read as the members of a JSON object. */
void print_transfers(const struct transfer *, int count);

#endif
