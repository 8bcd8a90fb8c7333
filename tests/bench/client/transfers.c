/* Modes axfr and raw: whole zones from a server, and the same octets from a bare sender. */
#include "client.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <signal.h>
#include <unistd.h>

/* ROUNDS: pieces for each client before the sender looks who else there is. */
enum { MOST_CLIENTS = 1024, SEND_OCTETS = 256 * 1024, ROUNDS = 16 };

static int client_count(void) {
  int count = option_number("clients", 1);
  if (count < 1 || count > MOST_CLIENTS) fail("--clients is from 1 to %d", MOST_CLIENTS);
  return count;
}

static void add_content(void *content, const uint8_t *message, size_t length) {
  content_add_message(content, message, length);
}

int mode_axfr(void) {
  int count = client_count();
  struct transfer *transfers = calloc(count, sizeof *transfers);
  struct content content = {0};
  struct sockaddr_in server = server_address();
  int wants_content = option_number("content", 0) != 0;
  const char *path = option("save", NULL);
  FILE *save = path ? fopen(path, "w") : NULL;
  if (path && !save) fail("cannot write %s", path);
  uint8_t query[514];
  size_t length = put_query(query + 2, 0x5a43, must_have("zone"), TYPE_AXFR);
  put16(query, length);

  double clock_began = clock_seconds(), cpu_began = cpu_seconds();
  read_transfers(transfers, count, &server, query, length + 2, option_number("timeout", 240),
                 wants_content ? add_content : NULL, &content, save);
  printf("{");
  print_transfers(transfers, count);
  printf(",");
  print_cost(clock_began, cpu_began);
  if (wants_content) {
    printf(",");
    content_print(&content);
  }
  printf("}\n");
  return save && fclose(save) != 0;
}

/* What the kernel keeps unsent, for one connection: more is in no cache when it leaves. */
enum { UNSENT_OCTETS = 256 * 1024 };

/* The connections of the bare sender, with how much of the stream each has; the listener is first. */
struct senders {
  struct pollfd polled[MOST_CLIENTS + 1];
  size_t at[MOST_CLIENTS + 1];
  int count;
};

static void accept_client(struct senders *senders) {
  int fd = accept4(senders->polled[0].fd, NULL, NULL, SOCK_NONBLOCK), on = 1, unsent = UNSENT_OCTETS;
  if (fd < 0) fail("raw: %s", strerror(errno));
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  setsockopt(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &unsent, sizeof unsent);
  senders->polled[senders->count] = (struct pollfd){.fd = fd, .events = POLLIN};
  senders->at[senders->count++] = 0;
}

/* Sends one client the next piece. Returns whether there is more to be done for it at once. */
static int send_some(struct senders *senders, int i, const uint8_t *octets, size_t length) {
  struct pollfd *one = &senders->polled[i];
  if (one->events == POLLIN) {
    uint8_t query[512];
    if (read(one->fd, query, sizeof query) <= 0) fail("raw: no query");
    one->events = POLLOUT;
  }
  size_t left = length - senders->at[i];
  ssize_t sent = send(one->fd, octets + senders->at[i], left < SEND_OCTETS ? left : SEND_OCTETS,
                      MSG_NOSIGNAL);
  if (sent < 0 && errno != EAGAIN) fail("raw: %s", strerror(errno));
  if (sent < 0) return 0;
  senders->at[i] += sent;
  if (senders->at[i] < length) return 1;
  close(one->fd);
  one->fd = -1;
  return 0;
}

/*
 * Sends the stream to all who connect, in turns, until its parent ends. The fastest sender found: a
 * thread for each connection, smaller pieces, and no bound to what is unsent were slower.
 */
static void serve_stream(int listener, const uint8_t *octets, size_t length) {
  static struct senders senders = {.count = 1};
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  senders.polled[0] = (struct pollfd){.fd = listener, .events = POLLIN};
  for (;;) {
    if (poll(senders.polled, senders.count, -1) < 0) fail("raw: %s", strerror(errno));
    if (senders.polled[0].revents && senders.count <= MOST_CLIENTS) accept_client(&senders);
    for (int round = 0, going = 1; going && round < ROUNDS; round++) {
      going = 0;
      for (int i = 1; i < senders.count; i++) {
        if (senders.polled[i].fd < 0 || !senders.polled[i].revents) continue;
        if (send_some(&senders, i, octets, length)) going = 1;
        else senders.polled[i].revents = 0;
      }
    }
  }
}

int mode_raw(void) {
  int count = client_count(), file = open(must_have("file"), O_RDONLY);
  struct stat status;
  if (file < 0 || fstat(file, &status) != 0) fail("cannot open %s", must_have("file"));
  const uint8_t *octets = mmap(NULL, status.st_size, PROT_READ, MAP_PRIVATE | MAP_POPULATE, file, 0);
  if (octets == MAP_FAILED) fail("cannot map %s", must_have("file"));

  struct sockaddr_in server = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t size = sizeof server;
  int listener = socket(AF_INET, SOCK_STREAM, 0);
  if (bind(listener, (struct sockaddr *)&server, size) != 0 || listen(listener, count) != 0 ||
      getsockname(listener, (struct sockaddr *)&server, &size) != 0)
    fail("raw: %s", strerror(errno));
  pid_t sender = fork();
  if (sender < 0) fail("raw: %s", strerror(errno));
  if (sender == 0) serve_stream(listener, octets, status.st_size);

  struct transfer *transfers = calloc(count, sizeof *transfers);
  uint8_t query[514];
  size_t length = put_query(query + 2, 0x5a43, ".", TYPE_AXFR);
  put16(query, length);
  double clock_began = clock_seconds(), cpu_began = cpu_seconds();
  read_transfers(transfers, count, &server, query, length + 2, option_number("timeout", 240), NULL,
                 NULL, NULL);
  printf("{");
  print_transfers(transfers, count);
  printf(",");
  print_cost(clock_began, cpu_began);
  printf("}\n");
  kill(sender, SIGKILL);
  return 0;
}
