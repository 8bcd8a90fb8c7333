/*
 * Modes abuse and probe: many clients that behave badly, and one that looks how the server fares.
 *
 * abuse keeps --connections open to the server for --seconds, from --addresses addresses of the
 * loopback (127.0.1.1 and up), and on each does what --kind says:
 *   idle      says nothing
 *   prefix    sends the length of a message, and then nothing
 *   drip      sends a query an octet a second
 *   zero      sends messages of no length, as fast as they are taken
 *   junk      sends messages of 65,535 octets of junk, as fast as they are taken
 *   queries   sends pipelined queries as fast as they are taken, and reads no answer
 *   slow      asks for a transfer and reads --rate octets a second
 *   reset     asks for a transfer, reads some, and resets; again and again
 * A connection the server has ended is opened again after --again seconds. Prints what became of
 * them all, and once all are up {"up":true}.
 *
 * probe asks for --name's SOA each --interval ms from the address --from, over UDP or with
 * --tcp 1 on a connection of its own each, and prints latencies by half second. With --pid it also
 * prints how much of each wait the server's main thread was running (cpuP99, to a clock tick): what
 * the server itself makes a client wait, whatever else the machine does.
 */
#include "client.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

enum { JUNK_OCTETS = 65537, READ_AT_ONCE = 65536, TICK_MS = 20, OPEN_PER_TICK = 400, OTHER_FILES = 16 };

enum kind { IDLE, PREFIX, DRIP, ZERO, JUNK, QUERIES, SLOW, RESET, KINDS };
static const char *const kind_names[KINDS] = {"idle", "prefix",  "drip", "zero",
                                              "junk", "queries", "slow", "reset"};

struct peer {
  int fd; /* -1: not open */
  int connected, doomed;
  double at; /* next time to do something: open, send, read */
  size_t sent, received;
};

static struct {
  enum kind kind;
  struct sockaddr_in server;
  int addresses;
  double again, rate;
  const uint8_t *octets; /* what is sent, */
  size_t length, once;   /* how much of it there is, and how much of it is sent only once */
  long opened, refused, ended, resets, sent, received;
} run;

static struct sockaddr_in local_address(int index) {
  struct sockaddr_in address = {.sin_family = AF_INET};
  address.sin_addr.s_addr = htonl(0x7f000101u + (uint32_t)(index % run.addresses));
  return address;
}

static void close_peer(struct peer *peer, double now) {
  if (run.kind == RESET && peer->received > 0) {
    struct linger linger = {.l_onoff = 1};
    setsockopt(peer->fd, SOL_SOCKET, SO_LINGER, &linger, sizeof linger);
    run.resets++;
  }
  close(peer->fd);
  *peer = (struct peer){.fd = -1, .at = now + (run.kind == RESET ? 0 : run.again)};
}

static void open_peer(struct peer *peer, int index, double now) {
  int one = 1, small = 4096;
  peer->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
  if (peer->fd < 0) fail("socket: %s", strerror(errno));
  setsockopt(peer->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  setsockopt(peer->fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &one, sizeof one);
  if (run.kind == SLOW || run.kind == QUERIES)
    setsockopt(peer->fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
  struct sockaddr_in local = local_address(index);
  if (bind(peer->fd, (struct sockaddr *)&local, sizeof local) < 0)
    fail("bind: %s", strerror(errno));
  if (connect(peer->fd, (struct sockaddr *)&run.server, sizeof run.server) < 0 &&
      errno != EINPROGRESS) {
    run.refused++;
    close_peer(peer, now);
    return;
  }
  peer->at = now;
  run.opened++;
}

/* Sends what is left to send, or goes on for ever; 0 when the server has ended the connection. */
static int send_some(struct peer *peer, double now) {
  for (int times = 0; times < 4; times++) {
    if (peer->sent == run.length) {
      if (run.once == run.length) return 1;
      peer->sent = run.once;
    }
    size_t most = run.kind == DRIP ? 1 : run.length - peer->sent;
    ssize_t count = send(peer->fd, run.octets + peer->sent, most, MSG_NOSIGNAL);
    if (count < 0) return errno == EAGAIN;
    peer->sent += (size_t)count;
    run.sent += count;
    if (run.kind == DRIP) {
      peer->at = now + 1;
      return 1;
    }
  }
  return 1;
}

/* Reads what this kind of peer reads; 0 when the connection is over. */
static int read_some(struct peer *peer, double now) {
  static uint8_t buffer[READ_AT_ONCE];
  size_t most = sizeof buffer;
  if (run.kind == SLOW) most = (size_t)(run.rate / 5);
  ssize_t count = recv(peer->fd, buffer, most, 0);
  if (count < 0) return errno == EAGAIN;
  if (count == 0) return 0;
  peer->received += (size_t)count;
  run.received += count;
  if (run.kind == SLOW) peer->at = now + 0.2;
  return !(run.kind == RESET && peer->received > 20000);
}

/* What a peer waits for. */
static short events_of(const struct peer *peer, double now) {
  if (!peer->connected) return POLLOUT;
  short events = 0;
  int sends = peer->sent < run.length || run.once < run.length;
  if (sends && !(run.kind == DRIP && now < peer->at)) events |= POLLOUT;
  /* One who never reads answers sees the end by the error alone. */
  if (run.kind == QUERIES) return events;
  if (!(run.kind == SLOW && now < peer->at)) events |= POLLIN;
  return events;
}

static void serve_peer(struct peer *peer, short events, double now) {
  if (!peer->connected) {
    int error = 0;
    socklen_t size = sizeof error;
    getsockopt(peer->fd, SOL_SOCKET, SO_ERROR, &error, &size);
    if (error) {
      run.refused++;
      close_peer(peer, now);
      return;
    }
    peer->connected = 1;
    return;
  }
  int goes_on = !(events & (POLLERR | POLLHUP)) || run.kind == SLOW;
  if (goes_on && (events & POLLOUT)) goes_on = send_some(peer, now);
  if (goes_on && (events & (POLLIN | POLLHUP))) goes_on = read_some(peer, now);
  if (goes_on) return;
  run.ended++;
  close_peer(peer, now);
}

static size_t put_framed(uint8_t *octets, uint16_t id, const char *name, uint16_t type) {
  size_t length = put_query(octets + 2, id, name, type);
  put16(octets, (uint16_t)length);
  return length + 2;
}

/* Sets what the peers send. */
static void prepare(void) {
  static uint8_t octets[2 * JUNK_OCTETS];
  const char *zone = option("zone", ".");
  run.octets = octets;
  switch (run.kind) {
    case PREFIX:
      put16(octets, 300);
      run.length = run.once = 2;
      break;
    case DRIP:
      run.length = run.once = put_framed(octets, 1, zone, TYPE_SOA);
      break;
    case ZERO:
      run.length = 16384;
      break;
    case JUNK:
      for (size_t i = 0; i < JUNK_OCTETS; i++) octets[i] = (uint8_t)(i * 2654435761u >> 13);
      put16(octets, 65535);
      octets[4] = 0; /* a query, so that each is answered */
      run.length = JUNK_OCTETS;
      break;
    case QUERIES:
      for (size_t i = 0; i < 100; i++)
        run.length += put_framed(octets + run.length, (uint16_t)i, zone, TYPE_TXT);
      break;
    case SLOW:
    case RESET:
      run.length = run.once = put_framed(octets, 1, zone, TYPE_AXFR);
      break;
    default:
      break;
  }
}

int mode_abuse(void) {
  struct rlimit files;
  getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);
  const char *name = must_have("kind");
  while (run.kind < KINDS && strcmp(kind_names[run.kind], name) != 0) run.kind++;
  if (run.kind == KINDS) fail("there is no kind %s", name);
  run.server = server_address();
  run.addresses = (int)option_number("addresses", 1);
  run.again = option_number("again", 1);
  run.rate = option_number("rate", 8192);
  int count = (int)option_number("connections", 100);
  /* Where there are fewer descriptors there are fewer abusers; "mostOpen" says how many. */
  if ((rlim_t)count + OTHER_FILES > files.rlim_cur) count = (int)files.rlim_cur - OTHER_FILES;
  long resets = (long)option_number("resets", 0);
  prepare();

  struct peer *peers = calloc((size_t)count, sizeof *peers);
  struct pollfd *polled = calloc((size_t)count, sizeof *polled);
  int *who = calloc((size_t)count, sizeof *who);
  for (int i = 0; i < count; i++) peers[i].fd = -1;
  double began = clock_seconds(), cpu = cpu_seconds();
  double end = began + option_number("seconds", 3);
  int is_up = 0;
  long most = 0;
  for (double now; (now = clock_seconds()) < end && !(resets && run.resets >= resets);) {
    int open = 0, opening = 0, n = 0;
    for (int i = 0; i < count; i++) {
      if (peers[i].fd < 0) {
        if (now < peers[i].at || opening >= OPEN_PER_TICK) continue;
        open_peer(&peers[i], i, now);
        opening++;
        if (peers[i].fd < 0) continue;
      }
      open += peers[i].connected;
      short events = events_of(&peers[i], now);
      polled[n] = (struct pollfd){.fd = peers[i].fd, .events = events};
      who[n++] = i;
    }
    if (open > most) most = open;
    if (!is_up && run.opened >= count) {
      is_up = 1;
      puts("{\"up\":true}");
      fflush(stdout);
    }
    poll(polled, (nfds_t)n, TICK_MS);
    now = clock_seconds();
    for (int i = 0; i < n; i++)
      if (polled[i].revents) serve_peer(&peers[who[i]], polled[i].revents, now);
    usleep(1000); /* fast enough to hurt, and not all of a core */
  }
  int held = 0;
  for (int i = 0; i < count; i++) held += peers[i].fd >= 0 && peers[i].connected;
  printf("{\"kind\":\"%s\",\"opened\":%ld,\"refused\":%ld,\"ended\":%ld,\"resets\":%ld,"
         "\"sent\":%ld,\"received\":%ld,\"mostOpen\":%ld,\"openAtEnd\":%d,",
         name, run.opened, run.refused, run.ended, run.resets, run.sent, run.received, most, held);
  print_cost(began, cpu);
  puts("}");
  return 0;
}

/* --- probe ------------------------------------------------------------------------------------- */

static int ascending(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

/* Seconds that a process's main thread has run, by its schedstat; 0 without one. */
static double ran_seconds(int schedstat) {
  char text[64] = "";
  return schedstat >= 0 && pread(schedstat, text, sizeof text - 1, 0) > 0 ? atof(text) / 1e9 : 0;
}

/* Seconds until the answer came; below 0 when none did. */
static double ask(const struct sockaddr_in *server, const struct sockaddr_in *local, int is_tcp,
                  const uint8_t *query, size_t length) {
  double began = clock_seconds();
  int one = 1;
  int fd = socket(AF_INET, is_tcp ? SOCK_STREAM : SOCK_DGRAM, 0);
  struct timeval patience = {.tv_sec = 2};
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
  setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &one, sizeof one);
  uint8_t answer[2048];
  int good = bind(fd, (const struct sockaddr *)local, sizeof *local) == 0 &&
             connect(fd, (const struct sockaddr *)server, sizeof *server) == 0;
  size_t skipped = is_tcp ? 0 : 2;
  good = good && send(fd, query + skipped, length - skipped, MSG_NOSIGNAL) > 0;
  ssize_t count = good ? recv(fd, answer, sizeof answer, 0) : -1;
  close(fd);
  size_t header = is_tcp ? 2 : 0;
  /* One answer record, no error: the SOA. */
  if (count < (ssize_t)header + 12 || (answer[header + 3] & 15) || answer[header + 7] != 1) return -1;
  return clock_seconds() - began;
}

int mode_probe(void) {
  struct sockaddr_in server = server_address(), local = {.sin_family = AF_INET};
  if (inet_pton(AF_INET, option("from", "127.0.0.1"), &local.sin_addr) != 1)
    fail("--from is no IPv4 address");
  int is_tcp = option_number("tcp", 0) != 0;
  double interval = option_number("interval", 5) / 1000;
  uint8_t query[512];
  size_t length = put_framed(query, 7, must_have("name"), TYPE_SOA);
  double began = clock_seconds(), cpu = cpu_seconds();
  double end = began + option_number("seconds", 3);
  size_t room = (size_t)((end - began) / interval) + 16, in_all = 0, in_window = 0;
  double *all = calloc(room, sizeof *all), *window = calloc(room, sizeof *window);
  double *ran = calloc(room, sizeof *ran);
  char path[64];
  int pid = (int)option_number("pid", 0);
  snprintf(path, sizeof path, "/proc/%d/task/%d/schedstat", pid, pid);
  int schedstat = open(path, O_RDONLY);
  long lost = 0;
  double window_end = began + 0.5;
  printf("{\"p99s\":[");
  const char *comma = "";
  while (clock_seconds() < end && in_all < room) {
    double ran_before = ran_seconds(schedstat);
    double took = ask(&server, &local, is_tcp, query, length);
    if (took < 0) lost++;
    else {
      ran[in_all] = ran_seconds(schedstat) - ran_before;
      all[in_all++] = window[in_window++] = took;
    }
    double now = clock_seconds();
    if (now >= window_end && in_window > 0) {
      qsort(window, in_window, sizeof *window, ascending);
      printf("%s%.6f", comma, window[in_window * 99 / 100]);
      comma = ",";
      in_window = 0;
      window_end = now + 0.5;
    }
    double rest = interval - took;
    if (rest > 0) usleep((useconds_t)(rest * 1e6));
  }
  qsort(all, in_all, sizeof *all, ascending);
  qsort(ran, in_all, sizeof *ran, ascending);
  printf("],\"answered\":%zu,\"lost\":%ld,", in_all, lost);
  if (in_all > 0)
    printf("\"p50\":%.6f,\"p99\":%.6f,\"max\":%.6f,\"cpuP99\":%.6f,", all[in_all / 2],
           all[in_all * 99 / 100], all[in_all - 1], ran[in_all * 99 / 100]);
  print_cost(began, cpu);
  puts("}");
  return 0;
}
