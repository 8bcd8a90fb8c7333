/*
 * One transfer over TCP, without waiting: the octets are kept as they come and read either at
 * once or afterwards, so that reading them costs nothing while the time is taken.
 *
 * Owns: a connection and a buffer, which is kept for the next transfer.
 */
#ifndef FETCH_H
#define FETCH_H

#include <netinet/in.h>

#include "wire.h"

struct fetch {
  int fd; /* -1: none */
  bool is_late; /* read the records only when all has come */
  bool sent;
  struct judge judge;
  struct name zone;
  uint8_t query[NAME_MAX_OCTETS + 64];
  size_t query_length;
  uint8_t *buffer;
  size_t held, room, framed; /* framed: octets of whole messages looked at */
  uint8_t soa_numbers[20];
  int64_t octets, messages;
  int64_t asked_ns, first_ns, last_ns;
};

/*
 * Connects from one address to another and asks: for the whole zone, or where the judge has one
 * for what is new. Returns the connection's descriptor, -1 on failure.
 */
int fetch_begin(struct fetch *fetch, const struct name *zone, const struct sockaddr_in *from,
                const struct sockaddr_in *to);

/* What the connection is ready for. Returns whether the transfer has ended; see judge.fault. */
bool fetch_ready(struct fetch *fetch);

/* Reads the records of a late one that has ended well. */
void fetch_judge(struct fetch *fetch);

void fetch_close(struct fetch *fetch);

#endif
