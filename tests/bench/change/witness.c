/*
 * Sees a change on its way: makes it, acts as a secondary that takes NOTIFY and
 * asks IXFR at once, and asks real secondaries until they answer it. One
 * process, one clock; what it spent itself is in every answer.
 *
 * Line commands on standard input, one line of JSON for each on standard
 * output. Messages come ready, in hexadecimal. Times are microseconds since
 * the change was sent.
 *
 *   listen ADDR PORT          the address NOTIFY and SOA queries come to
 *   primary ADDR PORT         whom IXFR is asked of, over TCP
 *   zone HEX                  RDATA of the SOA this secondary shows, uncompressed
 *   tcp ADDR PORT | udp ADDR PORT     where changes are sent: Postgres, or UPDATE
 *   send HEX                  sends over it; answered when Postgres is ready again
 *   poll ADDR PORT            one more secondary to ask, over UDP
 *   process PID               whose CPU time is counted until the NOTIFY
 *   round MS CHANGE IXFR QUESTION OCTETS    a change: sent, then watched until NOTIFY has come,
 *                             the IXFR is whole and every poll's answer has the octets, or MS
 *                             are over; "-" leaves out IXFR, QUESTION or OCTETS, or as CHANGE
 *                             means that somebody else makes it, now
 *   steady ADDR PORT RATE HEX asks over UDP so often a second, until the next line
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "cpu.h"

enum { MESSAGE = 65535, POLLS = 8, KEPT = 2048, POLL_US = 500, SAMPLES = 1 << 20, IDS = 65536 };

typedef struct sockaddr_in Address;
typedef unsigned char Octet;

/* One transfer as it comes in; `state` as the records before tell. */
typedef struct {
  int fd;
  Octet buffer[2 * (MESSAGE + 2)];
  size_t held, octets, messages, records;
  uint32_t serial;
  int soas, isDifference, done;
  Octet first[KEPT];
  size_t firstLength;
} Transfer;

static struct {
  int notify, notifyTcp, change, changeIsTcp;
  Address primary;
  Octet soa[512];
  size_t soaLength;
  struct { int fd; double at; } polls[POLLS];
  int pollCount;
} self = {.notify = -1, .notifyTcp = -1, .change = -1};

static void die(const char *what) {
  fprintf(stderr, "witness: %s: %s\n", what, strerror(errno));
  exit(1);
}

static double now_us(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1e6 + t.tv_nsec / 1e3;
}

static double cpu_us(void) {
  struct rusage u;
  getrusage(RUSAGE_SELF, &u);
  return (u.ru_utime.tv_sec + u.ru_stime.tv_sec) * 1e6 + u.ru_utime.tv_usec + u.ru_stime.tv_usec;
}

static Address address(const char *ip, const char *port) {
  Address a = {.sin_family = AF_INET, .sin_port = htons(atoi(port))};
  if (inet_pton(AF_INET, ip, &a.sin_addr) != 1) die(ip);
  return a;
}

static int open_socket(int type, const Address *to) {
  int fd = socket(AF_INET, type, 0), on = 1;
  if (fd < 0) die("socket");
  if (connect(fd, (const struct sockaddr *)to, sizeof *to) < 0) die("connect");
  if (type == SOCK_STREAM) setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  return fd;
}

static void write_all(int fd, const Octet *octets, size_t length) {
  while (length > 0) {
    ssize_t n = write(fd, octets, length);
    if (n < 0) die("write");
    octets += n;
    length -= n;
  }
}

static size_t unhex(const char *text, Octet *out, size_t room) {
  size_t n = 0;
  for (; text[0] && text[1]; text += 2) {
    char pair[3] = {text[0], text[1], 0};
    if (n == room) die("a message is too long");
    out[n++] = strtoul(pair, NULL, 16);
  }
  return n;
}

static void print_hex(const Octet *octets, size_t length) {
  for (size_t i = 0; i < length; i++) printf("%02x", octets[i]);
}

static unsigned u16(const Octet *at) { return at[0] << 8 | at[1]; }
static uint32_t u32(const Octet *at) { return (uint32_t)u16(at) << 16 | u16(at + 2); }

static const Octet *skip_name(const Octet *at, const Octet *end) {
  while (at < end && *at != 0) {
    if (*at >= 0xc0) return at + 2;
    at += *at + 1;
  }
  return at + 1;
}

/* RFC 1995 §4, RFC 5936 §2.2: where a transfer ends shows only in its SOA records. */
static void take_message(Transfer *t, const Octet *message, size_t length) {
  const Octet *end = message + length, *at = message + 12;
  unsigned answers = u16(message + 6);
  if (t->messages++ == 0) {
    t->firstLength = length < KEPT ? length : KEPT;
    memcpy(t->first, message, t->firstLength);
  }
  for (unsigned q = u16(message + 4); q > 0; q--) at = skip_name(at, end) + 4;
  for (unsigned i = 0; i < answers && at < end; i++) {
    at = skip_name(at, end);
    const Octet *rdata = at + 10, *next = rdata + u16(at + 8);
    if (u16(at) == 6) {
      uint32_t serial = u32(next - 20);
      if (t->records == 0) t->serial = serial;
      if (t->records == 1) t->isDifference = serial != t->serial;
      if (serial == t->serial && ++t->soas == (t->isDifference ? 3 : 2)) t->done = 1;
    }
    t->records++;
    at = next;
  }
  if ((message[3] & 15) != 0 || answers == 0 || (t->messages == 1 && t->records == 1)) t->done = 1;
}

/* Reads what is there. Returns whether the transfer has ended, one way or the other. */
static int read_transfer(Transfer *t) {
  ssize_t n = recv(t->fd, t->buffer + t->held, sizeof t->buffer - t->held, MSG_DONTWAIT);
  if (n == 0) return 1;
  if (n < 0) return errno != EAGAIN && errno != EINTR;
  t->held += n;
  t->octets += n;
  size_t at = 0;
  while (t->held - at >= 2 && t->held - at - 2 >= u16(t->buffer + at)) {
    take_message(t, t->buffer + at + 2, u16(t->buffer + at));
    at += 2 + u16(t->buffer + at);
  }
  memmove(t->buffer, t->buffer + at, t->held - at);
  t->held -= at;
  return t->done;
}

static void ask_transfer(Transfer *t, int fd, const Octet *query, size_t length) {
  Octet framed[2 + 1024] = {length >> 8, length};
  memcpy(framed + 2, query, length);
  memset(t, 0, sizeof *t);
  t->fd = fd;
  write_all(fd, framed, length + 2);
}

/* Turns a query to the secondary into its answer; 0: it is none. */
static size_t answer_query(Octet *m, ssize_t n, int *opcode) {
  if (n < 17 || m[2] & 0x80) return 0;
  *opcode = m[2] >> 3 & 15;
  size_t length = skip_name(m + 12, m + n) + 4 - m;
  m[2] = 0x84 | *opcode << 3;
  m[3] = 0;
  memset(m + 6, 0, 6);
  if (*opcode == 0) {
    Octet head[] = {0xc0, 12, 0, 6, 0, 1, 0, 0, 14, 16, self.soaLength >> 8, self.soaLength};
    m[7] = 1;
    memcpy(m + length, head, sizeof head);
    memcpy(m + length + sizeof head, self.soa, self.soaLength);
    length += sizeof head + self.soaLength;
  }
  return length;
}

/* Answers one datagram to the secondary. Returns whether it is a NOTIFY. */
static int serve_datagram(void) {
  Octet m[MESSAGE];
  Address from;
  socklen_t size = sizeof from;
  int opcode = 0;
  ssize_t n = recvfrom(self.notify, m, sizeof m - 1024, MSG_DONTWAIT, (struct sockaddr *)&from, &size);
  size_t length = answer_query(m, n, &opcode);
  if (length) sendto(self.notify, m, length, 0, (struct sockaddr *)&from, size);
  return length && opcode == 4;
}

/* The same over TCP, as Knot notifies: one query a connection. */
static int serve_connection(void) {
  Octet m[MESSAGE];
  struct timeval limit = {0, 200000};
  int fd = accept(self.notifyTcp, NULL, NULL), opcode = 0;
  if (fd < 0) return 0;
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  size_t held = 0, length = 0;
  while (held < 2 || held < 2 + (size_t)u16(m)) {
    ssize_t n = recv(fd, m + held, 4096 - held, 0);
    if (n <= 0) break;
    held += n;
  }
  if (held > 2) length = answer_query(m + 2, held - 2, &opcode);
  if (length) {
    m[0] = length >> 8;
    m[1] = length;
    write_all(fd, m, length + 2);
  }
  close(fd);
  return length && opcode == 4;
}

static int ready_postgres(const Octet *octets, size_t n) {
  return n >= 6 && octets[n - 6] == 'Z' && u32(octets + n - 5) == 5;
}

static void print_transfer(const Transfer *t) {
  printf("\"done\":%s,\"serial\":%u,\"messages\":%zu,\"octets\":%zu,\"records\":%zu,\"first\":\"",
         t->done ? "true" : "false", t->serial, t->messages, t->octets, t->records);
  print_hex(t->first, t->firstLength);
  printf("\"");
}

static void round_of(char **word) {
  static Transfer transfer;
  static Octet change[1 << 16], in[1 << 16];
  Octet ixfr[1024], question[512], wanted[512];
  double limit = atof(word[1]) * 1e3;
  size_t changeLength = *word[2] == '-' ? 0 : unhex(word[2], change, sizeof change);
  size_t ixfrLength = *word[3] == '-' ? 0 : unhex(word[3], ixfr, sizeof ixfr);
  size_t questionLength = *word[4] == '-' ? 0 : unhex(word[4], question, sizeof question);
  size_t wantedLength = *word[5] == '-' ? 0 : unhex(word[5], wanted, sizeof wanted);
  double acked = changeLength ? -1 : 0, notified = -1, asked = -1, first = -1, last = -1, nextPoll = 0;
  int left = questionLength ? self.pollCount : 0, asks = 0;
  for (int i = 0; i < self.pollCount; i++) self.polls[i].at = -1;
  memset(&transfer, 0, sizeof transfer);
  transfer.fd = -1;
  double spent = 0, spentBefore = counted_us(), cpu = cpu_us(), t0 = now_us();
  write_all(self.change, change, changeLength);
  for (;;) {
    double t = now_us() - t0;
    if (t > limit || (acked >= 0 && left == 0 && 
        (self.notify < 0 || notified >= 0) && (ixfrLength == 0 || last >= 0))) break;
    if (left > 0 && t >= nextPoll) {
      for (int i = 0; i < self.pollCount; i++)
        if (self.polls[i].at < 0) asks++, send(self.polls[i].fd, question, questionLength, 0);
      nextPoll = t + POLL_US;
    }
    struct pollfd fds[POLLS + 4] = {{acked < 0 ? self.change : -1, POLLIN, 0}, {self.notify, POLLIN, 0},
                                    {transfer.fd, POLLIN, 0}, {self.notifyTcp, POLLIN, 0}};
    for (int i = 0; i < self.pollCount; i++) fds[4 + i] = (struct pollfd){self.polls[i].fd, POLLIN, 0};
    double wait = left > 0 ? nextPoll - t : limit - t;
    struct timespec time = {wait / 1e6, (long)(wait > 0 ? wait * 1e3 : 0) % 1000000000};
    if (ppoll(fds, 4 + self.pollCount, &time, NULL) <= 0) continue;
    t = now_us() - t0;
    if (fds[0].revents) {
      ssize_t n = recv(self.change, in, sizeof in, MSG_DONTWAIT);
      if (n == 0) die("the change's connection was closed");
      if (!self.changeIsTcp || (n > 0 && ready_postgres(in, n))) acked = t;
    }
    if (((fds[1].revents && serve_datagram()) | (fds[3].revents && serve_connection())) && notified < 0) {
      notified = t;
      spent = counted_us() - spentBefore;
      if (ixfrLength) {
        ask_transfer(&transfer, open_socket(SOCK_STREAM, &self.primary), ixfr, ixfrLength);
        asked = now_us() - t0;
      }
    }
    if (fds[2].fd >= 0 && fds[2].revents && last < 0) {
      if (first < 0) first = t;
      if (read_transfer(&transfer)) {
        last = now_us() - t0;
        close(transfer.fd);
        transfer.fd = -1;
        if (transfer.done && transfer.records == 1) { /* a NOTIFY of the version before */
          notified = asked = first = last = -1;
          continue;
        }
        if (self.soaLength) {
          uint32_t serial = htonl(transfer.serial);
          memcpy(self.soa + self.soaLength - 20, &serial, 4);
        }
      }
    }
    for (int i = 0; i < self.pollCount; i++) {
      if (!fds[4 + i].revents) continue;
      ssize_t n = recv(self.polls[i].fd, in, sizeof in, MSG_DONTWAIT);
      if (n > 12 && self.polls[i].at < 0 && memmem(in + 12, n - 12, wanted, wantedLength)) {
        self.polls[i].at = t;
        left--;
      }
    }
  }
  if (transfer.fd >= 0) close(transfer.fd);
  double took = now_us() - t0;
  printf("{\"acked\":%.0f,\"notified\":%.0f,\"asked\":%.0f,\"firstOctet\":%.0f,\"lastOctet\":%.0f,",
         acked, notified, asked, first, last);
  print_transfer(&transfer);
  printf(",\"answered\":[");
  for (int i = 0; i < self.pollCount; i++) printf("%s%.0f", i ? "," : "", self.polls[i].at);
  printf("],\"asks\":%d,\"cpuShare\":%.4f,\"spent\":%.0f}\n", asks,
         (cpu_us() - cpu) / took, spent);
}

static int by_size(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

/* An open loop: questions leave by the clock whatever is answered, so a pause counts in full. */
static void ask_steadily(char **word) {
  static double took[SAMPLES], sentAt[IDS];
  Octet query[512], in[4096];
  Address to = address(word[1], word[2]);
  double step = 1e6 / atof(word[3]);
  size_t length = unhex(word[4], query, sizeof query);
  int fd = open_socket(SOCK_DGRAM, &to);
  long sent = 0, answered = 0, late = 0;
  double cpu = cpu_us(), t0 = now_us(), next = 0, ended = -1;
  for (;;) {
    double t = now_us() - t0;
    if (ended >= 0 && (answered == sent || t > ended + 1e6)) break;
    while (ended < 0 && t >= next) {
      if (t - next > 5e3) late++;
      query[0] = sent >> 8;
      query[1] = sent;
      sentAt[sent % IDS] = next; /* when it was due: our own delay is not hidden */
      send(fd, query, length, 0);
      sent++;
      next += step;
    }
    struct pollfd fds[2] = {{fd, POLLIN, 0}, {ended < 0 ? 0 : -1, POLLIN, 0}};
    double wait = ended < 0 ? next - t : 1e4;
    struct timespec time = {0, (long)(wait > 0 ? wait * 1e3 : 0) % 1000000000};
    if (ppoll(fds, 2, &time, NULL) <= 0) continue;
    if (fds[1].revents) ended = now_us() - t0;
    while (fds[0].revents) {
      ssize_t n = recv(fd, in, sizeof in, MSG_DONTWAIT);
      if (n < 12) break;
      if (answered < SAMPLES) took[answered++] = now_us() - t0 - sentAt[u16(in)];
    }
  }
  close(fd);
  double all = now_us() - t0;
  qsort(took, answered, sizeof *took, by_size);
  printf("{\"asked\":%ld,\"answered\":%ld,\"late\":%ld,\"median\":%.0f,\"p99\":%.0f,\"max\":%.0f,"
         "\"cpuShare\":%.4f}\n",
         sent, answered, late, answered ? took[answered / 2] : -1.0,
         answered ? took[answered * 99 / 100] : -1.0, answered ? took[answered - 1] : -1.0,
         (cpu_us() - cpu) / all);
}

static void send_change(const char *hex) {
  static Octet out[1 << 20], in[1 << 16];
  size_t n = unhex(hex, out, sizeof out);
  write_all(self.change, out, n);
  for (ssize_t got = 0;;) {
    struct pollfd p = {self.change, POLLIN, 0};
    if (poll(&p, 1, 60000) <= 0) die("no answer to a change");
    if ((got = recv(self.change, in, sizeof in, 0)) <= 0) die("the change's connection was closed");
    int isError = self.changeIsTcp && in[0] == 'E';
    if (isError) fprintf(stderr, "witness: Postgres: %.*s\n", (int)got - 5, in + 5);
    if (self.changeIsTcp ? ready_postgres(in, got) : got >= 12) {
      printf("{\"error\":%s}\n", isError || (!self.changeIsTcp && in[3] & 15) ? "true" : "false");
      return;
    }
  }
}

static void listen_at(char **word) {
  Address at = address(word[1], word[2]);
  self.notify = socket(AF_INET, SOCK_DGRAM, 0);
  if (self.notify < 0 || bind(self.notify, (struct sockaddr *)&at, sizeof at) < 0) die("bind");
  int on = 1;
  self.notifyTcp = socket(AF_INET, SOCK_STREAM, 0);
  setsockopt(self.notifyTcp, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (bind(self.notifyTcp, (struct sockaddr *)&at, sizeof at) < 0) die("bind");
  if (listen(self.notifyTcp, 16) < 0) die("listen");
}

static void command(char *line) {
  char *word[8] = {0};
  int n = 0;
  for (char *part = strtok(line, " \n"); part && n < 8; part = strtok(NULL, " \n")) word[n++] = part;
  if (n == 0) return;
  if (!strcmp(word[0], "round") && n == 6) return round_of(word);
  if (!strcmp(word[0], "steady") && n == 5) return ask_steadily(word);
  if (!strcmp(word[0], "send") && n == 2) return send_change(word[1]);
  if (!strcmp(word[0], "listen") && n == 3) listen_at(word);
  else if (!strcmp(word[0], "primary") && n == 3) self.primary = address(word[1], word[2]);
  else if (!strcmp(word[0], "process") && n == 2) count_process(atoi(word[1]));
  else if (!strcmp(word[0], "zone") && n == 2) self.soaLength = unhex(word[1], self.soa, sizeof self.soa);
  else if ((!strcmp(word[0], "tcp") || !strcmp(word[0], "udp")) && n == 3) {
    Address to = address(word[1], word[2]);
    if (self.change >= 0) close(self.change);
    self.changeIsTcp = word[0][0] == 't';
    self.change = open_socket(self.changeIsTcp ? SOCK_STREAM : SOCK_DGRAM, &to);
  } else if (!strcmp(word[0], "poll") && n == 3 && self.pollCount < POLLS) {
    Address to = address(word[1], word[2]);
    self.polls[self.pollCount++].fd = open_socket(SOCK_DGRAM, &to);
  } else {
    errno = EINVAL;
    die(word[0]);
  }
  printf("{}\n");
}

int main(void) {
  static char line[1 << 21];
  size_t held = 0;
  setvbuf(stdout, NULL, _IOFBF, 1 << 20);
  for (;;) {
    struct pollfd fds[3] = {{0, POLLIN, 0}, {self.notify, POLLIN, 0}, {self.notifyTcp, POLLIN, 0}};
    if (poll(fds, 3, -1) < 0) die("poll");
    if (fds[1].revents) serve_datagram();
    if (fds[2].revents) serve_connection();
    if (!fds[0].revents) continue;
    ssize_t n = read(0, line + held, sizeof line - held - 1);
    if (n <= 0) return 0;
    held += n;
    line[held] = 0;
    for (char *end; (end = strchr(line, '\n'));) {
      size_t length = end + 1 - line;
      *end = 0;
      command(line);
      fflush(stdout);
      memmove(line, end + 1, held - length + 1);
      held -= length;
    }
  }
}
