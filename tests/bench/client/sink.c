/* Mode sink: a secondary that only takes NOTIFY, and says when each reached it. */
#include "client.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

enum { OPCODE_NOTIFY = 4 };

/* When the kernel had the message; now, if it does not say. */
static double arrival(struct msghdr *header) {
  for (struct cmsghdr *part = CMSG_FIRSTHDR(header); part; part = CMSG_NXTHDR(header, part)) {
    if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_TIMESTAMPNS) continue;
    struct timespec at;
    memcpy(&at, CMSG_DATA(part), sizeof at);
    return at.tv_sec + at.tv_nsec / 1e9;
  }
  return unix_seconds();
}

static void print_name(const uint8_t *name) {
  if (*name == 0) printf(".");
  for (; *name; name += *name + 1) printf("%.*s.", *name, name + 1);
}

/* {"at":…,"zone":"…","serial":…}; the serial is that of the SOA in the NOTIFY (RFC 1996 section 3.7). */
static void print_notify(double at, const uint8_t *message, size_t length) {
  uint8_t zone[NAME_MAX_OCTETS];
  read_name(message, length, 12, zone);
  printf("{\"at\":%.9f,\"zone\":\"", at);
  print_name(zone);
  printf("\"");
  if (get16(message + 6) > 0) {
    struct record soa = read_record(message, length, answer_offset(message, length));
    if (soa.type == TYPE_SOA) printf(",\"serial\":%u", soa_serial(message, &soa));
  }
  printf("}\n");
}

/* Acknowledges a NOTIFY, or refuses what is none, with the question alone. */
static void reply(int fd, struct sockaddr_in *from, uint8_t *message, size_t length, int is_notify) {
  size_t end = get16(message + 4) == 1 ? skip_name(message, length, 12) + 4 : 12;
  if (end > length) return;
  message[2] |= 0x84; /* QR, AA */
  message[3] = is_notify ? 0 : 5;
  memset(message + 6, 0, 6);
  sendto(fd, message, end, 0, (struct sockaddr *)from, sizeof *from);
}

int mode_sink(void) {
  static uint8_t message[MESSAGE_MAX_OCTETS];
  struct sockaddr_in own = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  own.sin_port = htons(option_number("port", 0));
  if (inet_pton(AF_INET, option("addr", "127.0.0.1"), &own.sin_addr) != 1) fail("bad --addr");
  int fd = socket(AF_INET, SOCK_DGRAM, 0), on = 1, room = 8 << 20;
  setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof on);
  /* Forced, where we may: thousands may come at once. */
  if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof room) != 0)
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof room);
  socklen_t size = sizeof own;
  if (bind(fd, (struct sockaddr *)&own, size) != 0 ||
      getsockname(fd, (struct sockaddr *)&own, &size) != 0)
    fail("cannot listen: %s", strerror(errno));
  printf("{\"ready\":true,\"port\":%d}\n", ntohs(own.sin_port));
  fflush(stdout);
  for (int waiting = 0;;) {
    struct sockaddr_in from;
    char control[256];
    struct iovec part = {message, sizeof message};
    struct msghdr header = {.msg_name = &from, .msg_namelen = sizeof from, .msg_iov = &part,
                            .msg_iovlen = 1, .msg_control = control,
                            .msg_controllen = sizeof control};
    ssize_t got = recvmsg(fd, &header, waiting ? MSG_DONTWAIT : 0);
    if (got < 0 && errno == EAGAIN) {
      fflush(stdout); /* all that were there are taken */
      waiting = 0;
      continue;
    }
    if (got < 0 && errno != EINTR) fail("cannot read: %s", strerror(errno));
    if (got < 12 || message[2] & 0x80) continue;
    waiting = 1;
    int is_notify = (message[2] >> 3 & 15) == OPCODE_NOTIFY;
    if (is_notify) print_notify(arrival(&header), message, got);
    reply(fd, &from, message, got, is_notify);
  }
}
