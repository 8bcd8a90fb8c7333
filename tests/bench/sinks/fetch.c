#define _GNU_SOURCE
#include "fetch.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* A buffer of the 100k zone needs no second size. */
enum { FIRST_ROOM = 4 << 20, READ_OCTETS = 256 << 10 };

int fetch_begin(struct fetch *fetch, const struct name *zone, const struct sockaddr_in *from,
                const struct sockaddr_in *to) {
  static uint16_t id = 0;
  fetch->zone = *zone;
  struct judge *judge = &fetch->judge;
  fetch->query_length =
      transfer_query(fetch->query + 2, ++id, zone, judge->has_zone ? &judge->serial : NULL);
  put16(fetch->query, (uint16_t)fetch->query_length);
  fetch->query_length += 2;
  judge->state = FIRST;
  judge->fault = NULL;
  judge->form = FORM_NONE;
  fetch->sent = false;
  fetch->held = fetch->framed = 0;
  fetch->octets = fetch->messages = fetch->first_ns = fetch->last_ns = 0;
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return -1;
  int on = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  /* The port is chosen by connect(), which knows what is free for this pair of addresses. */
  setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
  struct sockaddr_in local = *from;
  local.sin_port = 0;
  if (bind(fd, (struct sockaddr *)&local, sizeof local) != 0 ||
      (connect(fd, (const struct sockaddr *)to, sizeof *to) != 0 && errno != EINPROGRESS)) {
    close(fd);
    return -1;
  }
  fetch->asked_ns = now_ns();
  return fetch->fd = fd;
}

/* Whether a whole message ends as the first began: with the newest SOA. */
static bool looks_last(struct fetch *fetch, const uint8_t *message, size_t length) {
  if (length < HEADER_OCTETS || (message[3] & 0xf)) return true; /* the judge says why */
  if (fetch->messages == 1) {
    const uint8_t *numbers = first_soa_numbers(message, length);
    if (!numbers) return true;
    memcpy(fetch->soa_numbers, numbers, sizeof fetch->soa_numbers);
    if (get16(message + 6) < 2) return false;
  }
  size_t tail = sizeof fetch->soa_numbers;
  return memcmp(message + length - tail, fetch->soa_numbers, tail) == 0;
}

/* Looks at the whole messages that have come. Returns whether the last was among them. */
static bool fetch_messages(struct fetch *fetch) {
  while (fetch->held - fetch->framed >= 2) {
    uint8_t *at = fetch->buffer + fetch->framed;
    size_t length = get16(at);
    if (fetch->held - fetch->framed < 2 + length) return false;
    fetch->framed += 2 + length;
    fetch->messages++;
    bool ended = fetch->is_late ? looks_last(fetch, at + 2, length)
                                : judge_message(&fetch->judge, at + 2, length);
    if (ended) return true;
  }
  return false;
}

static bool fetch_fail(struct fetch *fetch, const char *fault) {
  fetch->judge.fault = fault;
  return true;
}

static bool fetch_room(struct fetch *fetch) {
  if (!fetch->is_late && fetch->framed > 0) { /* what was read is not needed again */
    fetch->held -= fetch->framed;
    memmove(fetch->buffer, fetch->buffer + fetch->framed, fetch->held);
    fetch->framed = 0;
  }
  if (fetch->room - fetch->held >= READ_OCTETS) return true;
  size_t room = fetch->room == 0 ? FIRST_ROOM : 2 * fetch->room;
  uint8_t *buffer = realloc(fetch->buffer, room);
  if (!buffer) return false;
  memset(buffer + fetch->room, 0, room - fetch->room); /* page faults now, not in the next one */
  fetch->buffer = buffer;
  fetch->room = room;
  return true;
}

bool fetch_ready(struct fetch *fetch) {
  if (!fetch->sent) {
    ssize_t sent = send(fetch->fd, fetch->query, fetch->query_length, MSG_NOSIGNAL);
    if (sent < 0 && (errno == EAGAIN || errno == ENOTCONN || errno == EINTR)) return false;
    if (sent != (ssize_t)fetch->query_length) return fetch_fail(fetch, "could not send the query");
    fetch->sent = true;
  }
  if (!fetch_room(fetch)) return fetch_fail(fetch, "no memory");
  ssize_t length = recv(fetch->fd, fetch->buffer + fetch->held, READ_OCTETS, 0);
  if (length < 0)
    return errno == EAGAIN || errno == EINTR ? false : fetch_fail(fetch, strerror(errno));
  if (length == 0) return fetch_fail(fetch, "the connection was closed");
  fetch->last_ns = now_ns();
  if (fetch->first_ns == 0) fetch->first_ns = fetch->last_ns;
  fetch->held += (size_t)length;
  fetch->octets += length;
  return fetch_messages(fetch);
}

void fetch_judge(struct fetch *fetch) {
  if (fetch->judge.fault) return;
  bool ended = false;
  for (size_t at = 0; at < fetch->framed && !ended; at += 2 + get16(fetch->buffer + at))
    ended = judge_message(&fetch->judge, fetch->buffer + at + 2, get16(fetch->buffer + at));
  if (!ended) fetch->judge.fault = "no SOA at the end";
}

void fetch_close(struct fetch *fetch) {
  if (fetch->fd >= 0) close(fetch->fd);
  fetch->fd = -1;
}
