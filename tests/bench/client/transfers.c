/* Modes axfr and raw: whole zones from a server, and the same octets from a bare sender. */
#include "client.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <signal.h>
#include <unistd.h>

enum { MOST_CLIENTS = 1024, WRITE_OCTETS = 64 * 1024 };

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

struct sending {
  int fd;
  const uint8_t *octets;
  size_t length;
};

static void *send_stream(void *argument) {
  struct sending *sending = argument;
  uint8_t query[512];
  if (read(sending->fd, query, sizeof query) <= 0) fail("raw: no query");
  for (size_t at = 0; at < sending->length; at += WRITE_OCTETS) {
    size_t left = sending->length - at;
    write_all(sending->fd, sending->octets + at, left < WRITE_OCTETS ? left : WRITE_OCTETS);
  }
  close(sending->fd);
  free(sending);
  return NULL;
}

/* A thread per connection writes the stream; ends with its parent. */
static void serve_stream(int listener, const uint8_t *octets, size_t length) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  for (;;) {
    struct sending *sending = malloc(sizeof *sending);
    *sending = (struct sending){accept(listener, NULL, NULL), octets, length};
    pthread_t thread;
    if (sending->fd < 0 || pthread_create(&thread, NULL, send_stream, sending) != 0)
      fail("raw: %s", strerror(errno));
    pthread_detach(thread);
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
