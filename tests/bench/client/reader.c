/* Reads many zone transfers at once, and looks no closer than it must. */
#include "client.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* What one read may bring, and the longest part of a message that waits for the rest. */
enum { READ_OCTETS = 256 * 1024, HELD_OCTETS = MESSAGE_MAX_OCTETS + 2 };

/*
 * What is read from any of them, behind what that one holds: one room, for sixteen of their own are
 * in no cache by the time they are filled again.
 */
static uint8_t room[HELD_OCTETS + READ_OCTETS];

/* The last 20 octets of a SOA record: serial to minimum. They are never compressed. */
static void learn_soa(struct transfer *transfer, const uint8_t *message, size_t length) {
  struct record soa = read_record(message, length, answer_offset(message, length));
  if (soa.type != TYPE_SOA || soa.rdlength < 22) fail("a transfer does not begin with a SOA record");
  memcpy(transfer->soa_tail, message + soa.end - 20, 20);
  transfer->soa_known = 1;
}

/* Counts a message. Returns whether it is the last: it ends as the opening SOA record does. */
static int take_message(struct transfer *transfer, const uint8_t *message, size_t length) {
  if (length < 12) fail("a message has %zu octets", length);
  if (message[3] & 15) fail("the server answers with RCODE %d", message[3] & 15);
  transfer->messages++;
  transfer->records += get16(message + 6);
  if (!transfer->soa_known) learn_soa(transfer, message, length);
  return transfer->records > 1 && length >= 32 &&
         memcmp(message + length - 20, transfer->soa_tail, 20) == 0;
}

/* Reads what is there. Returns whether the transfer has ended. */
static int read_some(struct transfer *transfer, message_callback *each, void *context, FILE *save) {
  uint8_t *octets = room + HELD_OCTETS - transfer->held, *came = room + HELD_OCTETS;
  ssize_t got = read(transfer->fd, came, READ_OCTETS);
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) return 0;
  if (got < 0) fail("cannot read: %s", strerror(errno));
  if (got == 0)
    fail("the transfer ended early, after %llu octets, %llu messages, %llu records",
         (unsigned long long)transfer->octets, (unsigned long long)transfer->messages,
         (unsigned long long)transfer->records);
  if (transfer->octets == 0) transfer->first = clock_seconds();
  if (save) fwrite(came, 1, got, save);
  transfer->octets += got;
  memcpy(octets, transfer->buffer, transfer->held);
  size_t held = transfer->held + got, at = 0;
  int ended = 0;
  while (!ended && held - at >= 2) {
    size_t length = get16(octets + at);
    if (held - at < length + 2) break;
    ended = take_message(transfer, octets + at + 2, length);
    if (each) each(context, octets + at + 2, length);
    at += length + 2;
  }
  if (ended) transfer->last = clock_seconds();
  else memcpy(transfer->buffer, octets + at, held - at);
  transfer->held = held - at;
  return ended;
}

void read_transfers(struct transfer *transfers, int count, const struct sockaddr_in *server,
                    const uint8_t *query, size_t query_length, double timeout,
                    message_callback *each, void *context, FILE *save) {
  struct pollfd *polled = calloc(count, sizeof *polled);
  /* What is touched now faults in no page during the measurement. */
  memset(room, 0, sizeof room);
  for (int i = 0; i < count; i++) {
    transfers[i].buffer = malloc(HELD_OCTETS);
    memset(transfers[i].buffer, 0, HELD_OCTETS);
  }
  for (int i = 0; i < count; i++) {
    transfers[i].began = clock_seconds();
    transfers[i].fd = connect_tcp(server);
    write_all(transfers[i].fd, query, query_length);
    fcntl(transfers[i].fd, F_SETFL, O_NONBLOCK);
    polled[i] = (struct pollfd){.fd = transfers[i].fd, .events = POLLIN};
  }
  double deadline = clock_seconds() + timeout;
  for (int left = count; left > 0;) {
    if (poll(polled, count, 1000) < 0 && errno != EINTR) fail("poll: %s", strerror(errno));
    if (clock_seconds() > deadline) fail("%d transfers have not ended in %.0f s", left, timeout);
    for (int i = 0; i < count; i++) {
      if (!(polled[i].revents & (POLLIN | POLLHUP | POLLERR))) continue;
      if (!read_some(&transfers[i], each, context, i == 0 ? save : NULL)) continue;
      polled[i].fd = -1;
      polled[i].revents = 0;
      close(transfers[i].fd);
      left--;
    }
  }
  for (int i = 0; i < count; i++) free(transfers[i].buffer);
  free(polled);
}

void print_transfers(const struct transfer *transfers, int count) {
  double first[count], last[count], began = transfers[0].began, ended = 0;
  uint64_t octets = 0, messages = 0, records = 0;
  for (int i = 0; i < count; i++) {
    first[i] = transfers[i].first - transfers[i].began;
    last[i] = transfers[i].last - transfers[i].began;
    if (transfers[i].last > ended) ended = transfers[i].last;
    octets += transfers[i].octets;
    messages += transfers[i].messages;
    records += transfers[i].records;
  }
  print_seconds("first", first, count);
  printf(",");
  print_seconds("last", last, count);
  printf(",\"all\":%.9f,\"octets\":%llu,\"messages\":%llu,\"records\":%llu", ended - began,
         (unsigned long long)octets, (unsigned long long)messages, (unsigned long long)records);
}
