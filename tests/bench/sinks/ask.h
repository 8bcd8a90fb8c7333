/*
 * Asks a server the SOA of many zones over UDP until each answer has a serial newer than one
 * known: when has a change in a thousand zones been published?
 *
 * It looks for the first 16 zones that are not new yet, and asks each again after 10 ms: at most
 * 1,600 questions a second while nothing is new, for more would be the load that is measured.
 */
#ifndef ASK_H
#define ASK_H

#include <netinet/in.h>

#include "wire.h"

struct asking {
  int fd;
  struct asked *zones;
  int count, newer;
  int first; /* all before it are newer */
  int64_t first_ns, last_ns; /* when the first and the last newer one was seen */
};

/* Lines "ZONE SERIAL", or "ZONE" where any serial is new. False: the file cannot be read. */
bool asking_begin(struct asking *asking, const char *file, const struct sockaddr_in *server);
/* Sends what is due, and reads what has come. Returns whether all are newer. */
bool asking_step(struct asking *asking, int64_t now);
void asking_end(struct asking *asking);

#endif
