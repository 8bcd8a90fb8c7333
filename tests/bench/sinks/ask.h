/*
 * Asks a server the SOA of many zones over UDP until each answer has a serial newer than one
 * known: when has a change in a thousand zones been published?
 *
 * While nothing is new it asks one question a millisecond; after that all zones that are not new
 * yet, each again after 5 ms.
 */
#ifndef ASK_H
#define ASK_H

#include <netinet/in.h>

#include "wire.h"

struct asking {
  int fd;
  struct asked *zones;
  int count, newer, next;
  int in_flight;
  int64_t sent_ns, first_ns, last_ns; /* when the first and the last newer one was seen */
  uint16_t round;
};

/* Lines "ZONE SERIAL", or "ZONE" where any serial is new. False: the file cannot be read. */
bool asking_begin(struct asking *asking, const char *file, const struct sockaddr_in *server);
/* Sends what is due, and reads what has come. Returns whether all are newer. */
bool asking_step(struct asking *asking, int64_t now);
void asking_end(struct asking *asking);

#endif
