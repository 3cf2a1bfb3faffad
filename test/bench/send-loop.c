/*
 * The floor of a fan-out: accept N connections, answer headers, then send the same bytes to each of
 * them every tick. No parsing, no timers, no bounds. Prints one JSON line:
 *
 *     send-loop STREAMS SECONDS TICK_MS BYTES   (listens on a free port, which it prints first)
 */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static double now_s(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec + t.tv_nsec / 1e9;
}

static double cpu_s(void) {
  struct rusage u;
  getrusage(RUSAGE_SELF, &u);
  return u.ru_utime.tv_sec + u.ru_stime.tv_sec +
         (u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

int main(int argc, char **argv) {
  if (argc != 5) return 2;
  int streams = atoi(argv[1]), tick_ms = atoi(argv[3]), bytes = atoi(argv[4]);
  double seconds = atof(argv[2]);
  struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t size = sizeof at;
  int listener = socket(AF_INET, SOCK_STREAM, 0);
  bind(listener, (struct sockaddr *)&at, size);
  listen(listener, 4096);
  getsockname(listener, (struct sockaddr *)&at, &size);
  printf("{\"port\":%d}\n", ntohs(at.sin_port));
  fflush(stdout);

  int *sockets = calloc(streams, sizeof *sockets);
  char request[2048];
  const char *head = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n";
  for (int i = 0; i < streams; i++) {
    sockets[i] = accept(listener, NULL, NULL);
    if (read(sockets[i], request, sizeof request) <= 0) return 1;
    if (write(sockets[i], head, strlen(head)) <= 0) return 1;
  }
  sleep(1);
  char *chunk = malloc(bytes);
  memset(chunk, 'x', bytes);
  double started = now_s(), cpu = cpu_s();
  long sent = 0;
  for (double next = started; now_s() - started < seconds; next += tick_ms / 1e3) {
    double wait = next - now_s();
    if (wait > 0) usleep(wait * 1e6);
    for (int i = 0; i < streams; i++)
      if (send(sockets[i], chunk, bytes, MSG_DONTWAIT | MSG_NOSIGNAL) == bytes) sent++;
  }
  printf("{\"deliveries\":%ld,\"cpu_s\":%f,\"wall_s\":%f}\n", sent, cpu_s() - cpu,
         now_s() - started);
  return 0;
}
