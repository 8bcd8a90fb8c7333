/*
 * Many secondaries in one light process: each has an address, takes NOTIFY, answers SOA and
 * fetches zones. One thread; what it spent itself is in the answer to "clock".
 *
 *     sinks PRIMARY PORT OWN-PORT ADDRESS...
 *
 * Commands on standard input, a line of JSON for each on standard output; times in nanoseconds of
 * the monotonic clock, limits (MS) in milliseconds.
 *
 *   clock                     the time, and the CPU time this process has used
 *   mark [newer]              forgets the NOTIFY messages so far; with "newer", those that come
 *                             again with a serial told before are not timed
 *   notifies                  how many came since, of how many (zone, secondary), and when
 *   zones FILE                writes "ZONE SERIAL SECONDARIES" for each zone it was told of;
 *                             SERIAL is "different" where the secondaries disagree
 *   follow ZONE               each fetches the zone, and again at each NOTIFY, by IXFR
 *   sinks                     what each that follows has
 *   axfr ZONE MS              each fetches the whole zone, all at once
 *   fetch ADDR PORT ZONE MS   one fetches the whole zone from another server
 *   sweep FILE MS             all together fetch the zones of a file, one connection a zone
 *   until FILE MS             asks the SOA of each zone of lines "ZONE SERIAL" until it is newer
 *   sum FILE                  the sum of a file of lines "OWNER TTL TYPE RDATA"
 *
 * A secondary shows the serial that NOTIFY told it, as if it had the zone; of the zone it follows
 * the serial it has fetched.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "ask.h"
#include "fetch.h"
#include "zones.h"

enum { EVENTS = 256, RECEIVE_OCTETS = 8 << 20, COMMAND_OCTETS = 4096 };
enum source { STDIN, UDP, TCP, ASK };
enum work { IDLE, FOLLOWING, MEASURED, SWEEPING };

struct sink {
  struct sockaddr_in address;
  int udp;
  enum work work;
  struct fetch fetch, other; /* `other`: measured, beside the zone it follows */
  struct fetch *running;
  uint32_t announced;
  int64_t ixfrs, axfrs, octets, done_ns;
};

static struct {
  struct sockaddr_in primary;
  int epoll, count, running;
  struct sink *sinks;
  struct zone *followed;
  bool only_newer; /* only NOTIFY of a serial not told of before is timed */
  int64_t received, failures;
  const char *fault; /* of the last transfer that failed */
  FILE *sweep;
  int64_t swept, stale, sweep_octets;
  struct zone_sum sweep_sum;
} self;

static void die(const char *what) {
  fprintf(stderr, "sinks: %s: %s\n", what, strerror(errno));
  exit(1);
}

static struct sockaddr_in address_of(const char *ip, const char *port) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(port))};
  if (inet_pton(AF_INET, ip, &address.sin_addr) != 1) die(ip);
  return address;
}

static int64_t cpu_ns(void) {
  struct timespec time;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return time.tv_sec * 1000000000ll + time.tv_nsec;
}

static void watch(int operation, int fd, uint32_t events, enum source source, int index) {
  struct epoll_event event = {.events = events, .data.u64 = (uint64_t)source << 32 | (uint32_t)index};
  if (epoll_ctl(self.epoll, operation, fd, &event) != 0) die("epoll");
}

static void begin(struct sink *sink, enum work work, struct fetch *fetch, const struct name *zone,
                  const struct sockaddr_in *from_server) {
  int fd = fetch_begin(fetch, zone, &sink->address, from_server);
  if (fd < 0) die("connect");
  sink->work = work;
  sink->running = fetch;
  self.running++;
  watch(EPOLL_CTL_ADD, fd, EPOLLIN | EPOLLOUT, TCP, (int)(sink - self.sinks));
}

static void follow(struct sink *sink) {
  begin(sink, FOLLOWING, &sink->fetch, &self.followed->name, &self.primary);
}

/* The next zone of the sweep, if there is one. */
static void sweep_next(struct sink *sink) {
  char line[1024];
  struct name name;
  if (!self.sweep || !fgets(line, sizeof line, self.sweep)) return;
  line[strcspn(line, "\n")] = '\0';
  if (!name_from_text(line, &name)) die(line);
  sink->other.judge = (struct judge){0};
  sink->other.is_late = false;
  begin(sink, SWEEPING, &sink->other, &name, &self.primary);
}

static void swept(struct sink *sink, const struct fetch *fetch) {
  int index = (int)(sink - self.sinks);
  const struct zone *zone = zone_find(&fetch->zone);
  self.swept++;
  if (!zone || !zone->seen[index].is_told || zone->seen[index].serial != fetch->judge.serial)
    self.stale++;
  self.sweep_octets += fetch->octets;
  self.sweep_sum.records += fetch->judge.zone.records;
  self.sweep_sum.sum += fetch->judge.zone.sum;
}

static void followed(struct sink *sink, const struct fetch *fetch) {
  sink->done_ns = fetch->last_ns;
  sink->octets += fetch->octets;
  if (fetch->judge.form == FORM_AXFR) sink->axfrs++;
  if (fetch->judge.form == FORM_IXFR) sink->ixfrs++;
  struct seen *seen = &self.followed->seen[sink - self.sinks];
  seen->is_told = true;
  seen->serial = fetch->judge.serial;
  /* It was told of a newer one meanwhile (RFC 1982). */
  if ((int32_t)(sink->announced - fetch->judge.serial) > 0) follow(sink);
}

static void ended(struct sink *sink) {
  struct fetch *fetch = sink->running;
  enum work work = sink->work;
  fetch_close(fetch);
  sink->work = IDLE;
  self.running--;
  if (fetch->judge.fault) {
    self.failures++;
    self.fault = fetch->judge.fault;
    fetch->judge.has_zone = false;
  } else if (work == FOLLOWING) followed(sink, fetch);
  else if (work == SWEEPING) swept(sink, fetch);
  if (work == SWEEPING) sweep_next(sink);
}

static void notified(struct sink *sink, const struct request *request) {
  struct zone *zone = zone_of(&request->zone);
  struct seen *seen = &zone->seen[sink - self.sinks];
  self.received++;
  bool is_old =
      request->has_serial && seen->is_told && (int32_t)(request->serial - seen->serial) <= 0;
  if (seen->notified_ns == 0 && !(self.only_newer && is_old)) seen->notified_ns = now_ns();
  if (!request->has_serial) return;
  if (zone != self.followed) {
    seen->is_told = true;
    seen->serial = request->serial;
    return;
  }
  sink->announced = request->serial;
  bool is_new = !sink->fetch.judge.has_zone || (int32_t)(request->serial - sink->fetch.judge.serial) > 0;
  if (sink->work == IDLE && is_new) follow(sink);
}

static void datagrams(struct sink *sink) {
  static uint8_t message[MESSAGE_MAX_OCTETS + 64];
  struct sockaddr_in peer;
  for (;;) {
    socklen_t size = sizeof peer;
    ssize_t length = recvfrom(sink->udp, message, MESSAGE_MAX_OCTETS, MSG_DONTWAIT,
                              (struct sockaddr *)&peer, &size);
    if (length < 0) return;
    struct request request;
    if (!request_read(message, (size_t)length, &request)) continue;
    size_t reply;
    if (request.opcode == OPCODE_NOTIFY) {
      notified(sink, &request);
      reply = reply_make(message, &request, false, NULL);
    } else {
      const struct zone *zone = zone_find(&request.zone);
      const struct seen *seen = zone ? &zone->seen[sink - self.sinks] : NULL;
      bool has = seen && seen->is_told && request.type == TYPE_SOA;
      reply = reply_make(message, &request, !has, has ? &seen->serial : NULL);
    }
    sendto(sink->udp, message, reply, 0, (struct sockaddr *)&peer, size);
  }
}

static void connection(struct sink *sink, int index) {
  struct fetch *fetch = sink->running;
  if (sink->work == IDLE) return;
  bool had_sent = fetch->sent;
  if (fetch_ready(fetch)) ended(sink);
  else if (!had_sent && fetch->sent) watch(EPOLL_CTL_MOD, fetch->fd, EPOLLIN, TCP, index);
}

/* Serves what has come, waiting up to `ms`. Returns whether a command waits. */
static bool serve(int ms) {
  struct epoll_event events[EVENTS];
  bool command = false;
  int count = epoll_wait(self.epoll, events, EVENTS, ms);
  for (int i = 0; i < count; i++) {
    int index = (int)(uint32_t)events[i].data.u64;
    switch ((enum source)(events[i].data.u64 >> 32)) {
      case STDIN: command = true; break;
      case UDP: datagrams(&self.sinks[index]); break;
      case TCP: connection(&self.sinks[index], index); break;
      case ASK: break; /* it is looked at after each wait */
    }
  }
  return command;
}

/* Serves until no transfer runs any more, or `ms` are over: those that run on then have failed. */
static void serve_transfers(int ms) {
  int64_t deadline = now_ns() + ms * 1000000ll;
  watch(EPOLL_CTL_MOD, STDIN_FILENO, 0, STDIN, 0);
  while (self.running > 0 && now_ns() < deadline) serve(10);
  watch(EPOLL_CTL_MOD, STDIN_FILENO, EPOLLIN, STDIN, 0);
  if (self.sweep) fclose(self.sweep);
  self.sweep = NULL;
  for (int i = 0; i < self.count; i++) {
    if (self.sinks[i].work == IDLE) continue;
    self.sinks[i].running->judge.fault = "time is over";
    ended(&self.sinks[i]);
  }
}

static const char *form_text(enum form form) {
  static const char *TEXT[] = {"none", "soa", "axfr", "ixfr"};
  return TEXT[form];
}

static void print_fetch(const struct fetch *fetch) {
  const struct judge *judge = &fetch->judge;
  printf("{\"fault\":\"%s\",\"form\":\"%s\",\"serial\":%" PRIu32 ",\"records\":%" PRId64
         ",\"sum\":\"%016" PRIx64 "\",\"octets\":%" PRId64 ",\"messages\":%" PRId64
         ",\"firstNs\":%" PRId64 ",\"lastNs\":%" PRId64 "}",
         judge->fault ? judge->fault : "", form_text(judge->form), judge->serial,
         judge->zone.records, judge->zone.sum, fetch->octets, fetch->messages,
         fetch->first_ns - fetch->asked_ns, fetch->last_ns - fetch->asked_ns);
}

/* `count` sinks fetch the whole zone at once; their records are read afterwards. */
static void measure(int count, const struct sockaddr_in *server, const char *zone, int ms) {
  struct name name;
  if (!name_from_text(zone, &name)) die(zone);
  int64_t asked = 0, last = 0, cpu = cpu_ns();
  for (int i = 0; i < count; i++) {
    struct sink *sink = &self.sinks[i];
    if (sink->work != IDLE) {
      printf("{\"fault\":\"a transfer runs already\"}\n");
      return;
    }
    sink->other.judge = (struct judge){0};
    sink->other.is_late = true;
    begin(sink, MEASURED, &sink->other, &name, server);
    if (i == 0) asked = sink->other.asked_ns;
  }
  serve_transfers(ms);
  cpu = cpu_ns() - cpu;
  printf("{\"transfers\":[");
  for (int i = 0; i < count; i++) {
    struct fetch *fetch = &self.sinks[i].other;
    fetch_judge(fetch);
    if (fetch->last_ns > last) last = fetch->last_ns;
    printf(i ? "," : "");
    print_fetch(fetch);
  }
  printf("],\"ns\":%" PRId64 ",\"cpuNs\":%" PRId64 "}\n", last - asked, cpu);
}

static void print_sinks(void) {
  printf("{\"sinks\":[");
  for (int i = 0; i < self.count; i++) {
    const struct sink *sink = &self.sinks[i];
    const struct judge *judge = &sink->fetch.judge;
    printf("%s{\"has\":%s,\"serial\":%" PRIu32 ",\"records\":%" PRId64 ",\"sum\":\"%016" PRIx64
           "\",\"ixfrs\":%" PRId64 ",\"axfrs\":%" PRId64 ",\"octets\":%" PRId64 ",\"doneNs\":%" PRId64 "}",
           i ? "," : "", judge->has_zone && sink->work == IDLE ? "true" : "false", judge->serial,
           judge->zone.records, judge->zone.sum, sink->ixfrs, sink->axfrs, sink->octets, sink->done_ns);
  }
  printf("],\"failures\":%" PRId64 ",\"fault\":\"%s\"}\n", self.failures, self.fault ? self.fault : "");
}

static void sweep(const char *file, int ms) {
  self.sweep = fopen(file, "r");
  if (!self.sweep) die(file);
  self.swept = self.stale = self.sweep_octets = 0;
  self.sweep_sum = (struct zone_sum){0, 0};
  int64_t failures = self.failures, began = now_ns();
  for (int i = 0; i < self.count; i++) sweep_next(&self.sinks[i]);
  serve_transfers(ms);
  printf("{\"zones\":%" PRId64 ",\"stale\":%" PRId64 ",\"failures\":%" PRId64 ",\"records\":%" PRId64
         ",\"sum\":\"%016" PRIx64 "\",\"octets\":%" PRId64 ",\"ns\":%" PRId64 ",\"fault\":\"%s\"}\n",
         self.swept, self.stale, self.failures - failures, self.sweep_sum.records,
         self.sweep_sum.sum, self.sweep_octets, now_ns() - began, self.fault ? self.fault : "");
}

static void until_newer(const char *file, int ms) {
  struct asking asking;
  int64_t deadline = now_ns() + ms * 1000000ll;
  if (!asking_begin(&asking, file, &self.primary)) die(file);
  watch(EPOLL_CTL_MOD, STDIN_FILENO, 0, STDIN, 0);
  watch(EPOLL_CTL_ADD, asking.fd, EPOLLIN, ASK, 0);
  while (!asking_step(&asking, now_ns()) && now_ns() < deadline) serve(1);
  watch(EPOLL_CTL_MOD, STDIN_FILENO, EPOLLIN, STDIN, 0);
  printf("{\"asked\":%d,\"newer\":%d,\"firstNs\":%" PRId64 ",\"lastNs\":%" PRId64 "}\n", asking.count,
         asking.newer, asking.first_ns, asking.last_ns);
  asking_end(&asking);
}

static void print_sum(const char *file) {
  FILE *lines = fopen(file, "r");
  char line[4096];
  struct zone_sum zone = {0, 0};
  if (!lines) die(file);
  while (fgets(line, sizeof line, lines))
    if (!sum_line(line, &zone)) die(line);
  fclose(lines);
  printf("{\"records\":%" PRId64 ",\"sum\":\"%016" PRIx64 "\"}\n", zone.records, zone.sum);
}

static void print_clock(void) {
  printf("{\"ns\":%" PRId64 ",\"cpuNs\":%" PRId64 "}\n", now_ns(), cpu_ns());
}

static void print_notifies(void) {
  struct zone_times times = zone_times(self.count);
  printf("{\"received\":%" PRId64 ",\"pairs\":%" PRId64 ",\"firstNs\":%" PRId64 ",\"medianNs\":%" PRId64
         ",\"lastNs\":%" PRId64 "}\n",
         self.received, times.pairs, times.first_ns, times.median_ns, times.last_ns);
}

static void begin_to_follow(const char *text) {
  struct name name;
  if (!name_from_text(text, &name)) die(text);
  self.followed = zone_of(&name);
  for (int i = 0; i < self.count; i++) follow(&self.sinks[i]);
  printf("{}\n");
}

static void command(char *line) {
  char *word[6] = {0};
  int count = 0;
  for (char *part = strtok(line, " "); part && count < 6; part = strtok(NULL, " ")) word[count++] = part;
  const char *verb = count > 0 ? word[0] : "";
  if (!strcmp(verb, "clock")) print_clock();
  else if (!strcmp(verb, "notifies")) print_notifies();
  else if (!strcmp(verb, "sinks")) print_sinks();
  else if (!strcmp(verb, "follow") && count == 2) begin_to_follow(word[1]);
  else if (!strcmp(verb, "sweep") && count == 3) sweep(word[1], atoi(word[2]));
  else if (!strcmp(verb, "until") && count == 3) until_newer(word[1], atoi(word[2]));
  else if (!strcmp(verb, "sum") && count == 2) print_sum(word[1]);
  else if (!strcmp(verb, "axfr") && count == 3)
    measure(self.count, &self.primary, word[1], atoi(word[2]));
  else if (!strcmp(verb, "fetch") && count == 5) {
    struct sockaddr_in server = address_of(word[1], word[2]);
    measure(1, &server, word[3], atoi(word[4]));
  } else if (!strcmp(verb, "mark")) {
    self.only_newer = count == 2;
    self.received = 0;
    zones_forget_times();
    printf("{}\n");
  } else if (!strcmp(verb, "zones") && count == 2) {
    if (!zones_write(word[1], self.count)) die(word[1]);
    printf("{}\n");
  } else die(verb);
  fflush(stdout);
}

/* Reads what stands on standard input. Returns false at its end. */
static bool commands(void) {
  static char line[COMMAND_OCTETS];
  static size_t held = 0;
  ssize_t length = read(STDIN_FILENO, line + held, sizeof line - held - 1);
  if (length <= 0) return false;
  held += (size_t)length;
  line[held] = '\0';
  for (char *end; (end = strchr(line, '\n')) != NULL;) {
    *end = '\0';
    command(line);
    held -= (size_t)(end + 1 - line);
    memmove(line, end + 1, held + 1);
  }
  return true;
}

static void open_sink(struct sink *sink, int index, const char *ip, const char *port) {
  int on = 1, octets = RECEIVE_OCTETS;
  sink->address = address_of(ip, port);
  sink->fetch.fd = sink->other.fd = -1;
  sink->udp = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (sink->udp < 0) die("socket");
  setsockopt(sink->udp, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  /* A burst must not be lost for want of room here; FORCE needs root, without it the limit rules. */
  if (setsockopt(sink->udp, SOL_SOCKET, SO_RCVBUFFORCE, &octets, sizeof octets) != 0)
    setsockopt(sink->udp, SOL_SOCKET, SO_RCVBUF, &octets, sizeof octets);
  if (bind(sink->udp, (struct sockaddr *)&sink->address, sizeof sink->address) != 0) die(ip);
  watch(EPOLL_CTL_ADD, sink->udp, EPOLLIN, UDP, index);
}

int main(int count, char **args) {
  if (count < 5 || count - 4 > MAX_SINKS) {
    fprintf(stderr, "usage: sinks PRIMARY PORT OWN-PORT ADDRESS... (at most %d)\n", MAX_SINKS);
    return 2;
  }
  self.primary = address_of(args[1], args[2]);
  self.count = count - 4;
  self.sinks = calloc((size_t)self.count, sizeof *self.sinks);
  self.epoll = epoll_create1(EPOLL_CLOEXEC);
  if (!self.sinks || self.epoll < 0) die("start");
  for (int i = 0; i < self.count; i++) open_sink(&self.sinks[i], i, args[4 + i], args[3]);
  watch(EPOLL_CTL_ADD, STDIN_FILENO, EPOLLIN, STDIN, 0);
  printf("{}\n");
  fflush(stdout);
  while (!serve(-1) || commands()) continue;
  return 0;
}
