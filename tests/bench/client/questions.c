/* Mode questions: how many a server answers over UDP, and how soon. */
#include "client.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
  MOST_SOCKETS = 64,
  MOST_WINDOW = 256,
  BATCH = 64,            /* messages one system call sends or receives */
  QUERY_OCTETS = 300,
  ANSWER_OCTETS = 4096,
  BUCKETS = 1000 * 100,  /* of latency, in µs: up to 100 ms, what is longer counts as that */
};
/*
 * Between two looks, in µs. A client that waits in poll() is woken by every single answer, at the
 * cost of the server that sends it; looking now and then takes them by the dozen, and disturbs less.
 */
static const useconds_t SWEEP = 100;
/* An answer that has not come in so long is lost, in seconds. */
static const double LOST_AFTER = 0.5;

struct question {
  uint16_t length;
  uint8_t octets[QUERY_OCTETS];
};

struct asker {
  int fd, outstanding, window;
  uint16_t next_id;
  double sent_at[65536]; /* by ID; 0: not outstanding */
  double last_heard;
};

static struct question *questions;
static size_t question_count, next_question;
static uint64_t asked, answered, wrong, lost;
static uint32_t latency[BUCKETS];

static void add_question(const char *name, uint16_t type) {
  static size_t room;
  if (question_count == room) {
    room = room ? 2 * room : 1024;
    questions = realloc(questions, room * sizeof *questions);
  }
  uint8_t octets[512];
  size_t length = put_query(octets, 0, name, type);
  if (length > QUERY_OCTETS) fail("the question for %s is too long", name);
  questions[question_count].length = length;
  memcpy(questions[question_count++].octets, octets, length);
}

static void read_questions(uint16_t type) {
  const char *path = option("names", NULL);
  if (!path) {
    add_question(must_have("name"), type);
    return;
  }
  FILE *file = fopen(path, "r");
  char line[1024];
  if (!file) fail("cannot open %s", path);
  while (fgets(line, sizeof line, file)) {
    line[strcspn(line, "\r\n")] = 0;
    if (line[0]) add_question(line, type);
  }
  fclose(file);
}

/* Fills the window with questions. */
static void ask_more(struct asker *asker) {
  static struct mmsghdr messages[BATCH];
  static struct iovec parts[BATCH];
  static uint8_t octets[BATCH][QUERY_OCTETS];
  while (asker->outstanding < asker->window) {
    int count = asker->window - asker->outstanding;
    if (count > BATCH) count = BATCH;
    double now = clock_seconds();
    for (int i = 0; i < count; i++) {
      struct question *question = &questions[next_question];
      next_question = (next_question + 1) % question_count;
      memcpy(octets[i], question->octets, question->length);
      uint16_t id = asker->next_id++;
      put16(octets[i], id);
      asker->sent_at[id] = now;
      parts[i] = (struct iovec){octets[i], question->length};
      messages[i].msg_hdr = (struct msghdr){.msg_iov = &parts[i], .msg_iovlen = 1};
    }
    int sent = sendmmsg(asker->fd, messages, count, 0);
    if (sent < 0) {
      if (errno != ECONNREFUSED && errno != EAGAIN && errno != ENOBUFS)
        fail("cannot ask: %s", strerror(errno));
      sent = 0;
    }
    for (int i = sent; i < count; i++) asker->sent_at[get16(octets[i])] = 0;
    asker->next_id -= count - sent;
    asker->outstanding += sent;
    asked += sent;
    if (sent < count) return;
  }
}

static void take_answer(struct asker *asker, const uint8_t *octets, size_t length, double now) {
  if (length < 12) {
    wrong++;
    return;
  }
  uint16_t id = get16(octets);
  double sent_at = asker->sent_at[id];
  if (sent_at == 0) return; /* given up before */
  asker->sent_at[id] = 0;
  asker->outstanding--;
  answered++;
  /* A right answer: authoritative, without an error, with a record. */
  if (!(octets[2] & 4) || (octets[3] & 15) || get16(octets + 6) == 0) wrong++;
  size_t bucket = (now - sent_at) * 1e6;
  latency[bucket < BUCKETS ? bucket : BUCKETS - 1]++;
}

static void take_answers(struct asker *asker) {
  static struct mmsghdr messages[BATCH];
  static struct iovec parts[BATCH];
  static uint8_t octets[BATCH][ANSWER_OCTETS];
  for (int i = 0; i < BATCH; i++) {
    parts[i] = (struct iovec){octets[i], ANSWER_OCTETS};
    messages[i].msg_hdr = (struct msghdr){.msg_iov = &parts[i], .msg_iovlen = 1};
  }
  int got;
  do {
    got = recvmmsg(asker->fd, messages, BATCH, MSG_DONTWAIT, NULL);
    double now = clock_seconds();
    if (got > 0) asker->last_heard = now;
    for (int i = 0; i < got; i++) take_answer(asker, octets[i], messages[i].msg_len, now);
  } while (got == BATCH);
}

/* Gives up what has not been answered, once nothing comes any more. */
static void give_up(struct asker *asker, double now) {
  if (asker->outstanding == 0 || now - asker->last_heard < LOST_AFTER) return;
  lost += asker->outstanding;
  asker->outstanding = 0;
  memset(asker->sent_at, 0, sizeof asker->sent_at);
  asker->last_heard = now;
}

/* The latency that `fraction` of the answers lie below, in seconds. */
static double latency_quantile(double fraction) {
  uint64_t rank = fraction * answered, seen = 0;
  for (size_t bucket = 0; bucket < BUCKETS; bucket++)
    if ((seen += latency[bucket]) > rank) return (bucket + 0.5) / 1e6;
  return 0;
}

static void run(struct asker *askers, int count, double seconds) {
  double ends = clock_seconds() + seconds;
  prctl(PR_SET_TIMERSLACK, 1000);
  for (int i = 0; i < count; i++) {
    askers[i].last_heard = clock_seconds();
    ask_more(&askers[i]);
  }
  for (double now = clock_seconds(); now < ends; now = clock_seconds()) {
    usleep(SWEEP);
    for (int i = 0; i < count; i++) {
      take_answers(&askers[i]);
      give_up(&askers[i], now);
      ask_more(&askers[i]);
    }
  }
}

int mode_questions(void) {
  struct sockaddr_in server = server_address();
  int count = option_number("sockets", 4), window = option_number("window", 32);
  if (count < 1 || count > MOST_SOCKETS || window < 1 || window > MOST_WINDOW)
    fail("--sockets is up to %d, --window up to %d", MOST_SOCKETS, MOST_WINDOW);
  read_questions(type_of(must_have("type")));
  struct asker *askers = calloc(count, sizeof *askers);
  for (int i = 0; i < count; i++) {
    int room = 1 << 20;
    askers[i].window = window;
    askers[i].fd = socket(AF_INET, SOCK_DGRAM, 0);
    setsockopt(askers[i].fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof room);
    if (connect(askers[i].fd, (struct sockaddr *)&server, sizeof server) != 0)
      fail("cannot connect: %s", strerror(errno));
  }
  double clock_began = clock_seconds(), cpu_began = cpu_seconds();
  run(askers, count, option_number("seconds", 2));
  double seconds = clock_seconds() - clock_began;
  printf("{\"asked\":%llu,\"answered\":%llu,\"wrong\":%llu,\"lost\":%llu,\"perSecond\":%.1f,"
         "\"p50\":%.7f,\"p99\":%.7f,\"max\":%.7f,",
         (unsigned long long)asked, (unsigned long long)answered, (unsigned long long)wrong,
         (unsigned long long)lost, answered / seconds, latency_quantile(0.5), latency_quantile(0.99),
         latency_quantile(1 - 1e-9));
  print_cost(clock_began, cpu_began);
  printf("}\n");
  return 0;
}
