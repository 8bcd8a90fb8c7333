/*
 * The measuring client of the bench: light enough never to be what is measured.
 *
 *   client MODE --addr 127.0.0.1 --port N …
 *
 *   axfr       --zone Z [--clients N] [--content 1] [--save FILE]   whole zones, N at once
 *   raw        --file FILE [--clients N]    the saved stream, from a bare sender, to the same reader
 *   ixfr       --zone Z --serial N [--repeat N] [--udp 1]
 *   questions  --type T (--name N | --names FILE) [--seconds S] [--sockets N] [--window N]
 *   wait       --name N --type T [--serial N | --rcode N | --rdata HEX] [--pause µs]
 *   abuse      --kind K …              clients that behave badly (abuse.c)
 *   probe      --name N …               how the server fares meanwhile (abuse.c)
 *   content    --file FILE                  what a master file of the bench holds
 *
 * Prints JSON objects, one a line. It counts records by the headers of messages and looks for the
 * end of a transfer at the ends of messages; records are looked at only where content is asked for,
 * which is never timed. One thread; no more than one read for 256 KiB that are there.
 */
#include "client.h"

#include <arpa/inet.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

static int argument_count;
static char **arguments;

const char *option(const char *name, const char *fallback) {
  for (int i = 2; i + 1 < argument_count; i += 2)
    if (strncmp(arguments[i], "--", 2) == 0 && strcmp(arguments[i] + 2, name) == 0)
      return arguments[i + 1];
  return fallback;
}

const char *must_have(const char *name) {
  const char *value = option(name, NULL);
  if (!value) fail("--%s is missing", name);
  return value;
}

double option_number(const char *name, double fallback) {
  const char *value = option(name, NULL);
  return value ? atof(value) : fallback;
}

struct sockaddr_in server_address(void) {
  struct sockaddr_in address = {.sin_family = AF_INET};
  address.sin_port = htons(atoi(must_have("port")));
  if (inet_pton(AF_INET, option("addr", "127.0.0.1"), &address.sin_addr) != 1)
    fail("--addr is no IPv4 address");
  return address;
}

void fail(const char *format, ...) {
  va_list values;
  va_start(values, format);
  fputs("client: ", stderr);
  vfprintf(stderr, format, values);
  fputc('\n', stderr);
  va_end(values);
  exit(1);
}

int main(int count, char **values) {
  static const struct {
    const char *name;
    int (*run)(void);
  } modes[] = {
      {"axfr", mode_axfr}, {"raw", mode_raw},   {"ixfr", mode_ixfr},       {"questions", mode_questions},
      {"wait", mode_wait}, {"content", mode_content},
      {"abuse", mode_abuse}, {"probe", mode_probe},
  };
  argument_count = count;
  arguments = values;
  signal(SIGPIPE, SIG_IGN);
  for (size_t i = 0; count > 1 && i < sizeof modes / sizeof *modes; i++)
    if (strcmp(values[1], modes[i].name) == 0) return modes[i].run();
  fail("there is no mode %s", count > 1 ? values[1] : "(none)");
}
