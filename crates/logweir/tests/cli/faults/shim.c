/* Makes calls fail on files whose path ends in what LOGWEIR_FAULT_FILE says, while the file that LOGWEIR_FAULT names
   exists and says which: `sync`, `write`, `short` or `full`. Everything else goes through. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

static int is_faulty(int fd, const char *kind) {
  const char *suffix = getenv("LOGWEIR_FAULT_FILE"), *fault = getenv("LOGWEIR_FAULT");
  char link[64], path[4096], said[16] = {0};
  if (!suffix || !fault) return 0;
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t n = readlink(link, path, sizeof path - 1);
  if (n < (ssize_t)strlen(suffix) || strncmp(path + n - strlen(suffix), suffix, strlen(suffix))) return 0;
  FILE *file = fopen(fault, "r");
  if (!file) return 0;
  size_t n_said = fread(said, 1, sizeof said - 1, file);
  fclose(file);
  return n_said > 0 && !strcmp(said, kind);
}

int fdatasync(int fd) {
  static int (*real)(int);
  if (!real) real = (int (*)(int))dlsym(RTLD_NEXT, "fdatasync");
  if (is_faulty(fd, "sync")) {
    errno = EIO;
    return -1;
  }
  return real(fd);
}

static ssize_t limited(int fd, ssize_t n) {
  if (is_faulty(fd, "write")) {
    errno = EIO;
    return -1;
  }
  if (is_faulty(fd, "full")) {
    errno = ENOSPC;
    return -1;
  }
  return is_faulty(fd, "short") && n > 1 ? n / 2 : n;
}

ssize_t write(int fd, const void *bytes, size_t n) {
  static ssize_t (*real)(int, const void *, size_t);
  if (!real) real = (ssize_t (*)(int, const void *, size_t))dlsym(RTLD_NEXT, "write");
  ssize_t allowed = limited(fd, (ssize_t)n);
  return allowed < 0 ? -1 : real(fd, bytes, (size_t)allowed);
}

ssize_t writev(int fd, const struct iovec *parts, int n_parts) {
  static ssize_t (*real)(int, const struct iovec *, int);
  if (!real) real = (ssize_t (*)(int, const struct iovec *, int))dlsym(RTLD_NEXT, "writev");
  ssize_t n = n_parts > 0 ? (ssize_t)parts[0].iov_len : 0, allowed = limited(fd, n);
  if (allowed < 0) return -1;
  return is_faulty(fd, "short") && n_parts > 0 ? write(fd, parts[0].iov_base, (size_t)n) : real(fd, parts, n_parts);
}
