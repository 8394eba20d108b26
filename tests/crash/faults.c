// Makes chosen system calls of this process fail, or be its last: what a crash, a broken disk or a full disk does.
//
// The seam is the kernel's door, not the C library: tantivy renames its files by system calls of its own, which no
// LD_PRELOAD sees. A seccomp filter turns every call that changes files into a SIGSYS, and the handler counts it,
// does the harm, or makes the call itself.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <ucontext.h>
#include <unistd.h>

// What happens at the chosen call; the numbers are those of `Kind` in harness.py.
enum kind { COUNT, KILL, TEAR, FAIL, FAIL_ON, FILL, RECORD };

// A call made by the handler itself carries this as its sixth argument, and the filter lets it through.
#define OWN 0x70696c6f74666973L

static struct call {
    int number;
    const char *name;
    int folder, path;  // which arguments name the file: a descriptor (of the file, or the folder of the path), a path
    int grows;         // whether a full disk refuses it
} calls[] = {
    {SYS_write, "write", 0, -1, 1},
    {SYS_pwrite64, "pwrite", 0, -1, 1},
    {SYS_writev, "writev", 0, -1, 1},
    {SYS_fallocate, "fallocate", 0, -1, 1},
    {SYS_ftruncate, "ftruncate", 0, -1, 0},
    {SYS_fsync, "fsync", 0, -1, 0},
    {SYS_fdatasync, "fdatasync", 0, -1, 0},
    {SYS_open, "create", -1, 0, 1},
    {SYS_openat, "create", 0, 1, 1},
    {SYS_mkdir, "mkdir", -1, 0, 1},
    {SYS_mkdirat, "mkdir", 0, 1, 1},
    {SYS_link, "link", -1, 1, 1},
    {SYS_linkat, "link", 2, 3, 1},
    {SYS_rename, "rename", -1, 1, 0},
    {SYS_renameat, "rename", 2, 3, 0},
    {SYS_renameat2, "rename", 2, 3, 0},
    {SYS_unlink, "unlink", -1, 0, 0},
    {SYS_unlinkat, "unlink", 0, 1, 0},
    {SYS_rmdir, "rmdir", -1, 0, 0},
};
#define CALLS (sizeof calls / sizeof *calls)

static char folder[4096];
static enum kind kind;
static long at, count;
static int trace;

static long own(long number, const long *a) {
    long result = syscall(number, a[0], a[1], a[2], a[3], a[4], OWN);
    return result < 0 ? -errno : result;
}

// The path below `folder` that a call is about, or NULL for a file elsewhere.
static const char *target(const struct call *call, const long *a, char *buffer, size_t size) {
    const char *path = call->path < 0 ? "" : (const char *)a[call->path];
    size_t length = 0;
    if (*path != '/') {
        char link[64] = "/proc/self/cwd";
        if (call->folder >= 0 && (int)a[call->folder] != AT_FDCWD)
            snprintf(link, sizeof link, "/proc/self/fd/%d", (int)a[call->folder]);
        ssize_t found = readlink(link, buffer, size - 2);
        if (found < 0)
            return NULL;
        length = (size_t)found;
        if (*path)
            buffer[length++] = '/';
    }
    snprintf(buffer + length, size - length, "%s", path);
    size_t prefix = strlen(folder);
    if (strncmp(buffer, folder, prefix) != 0 || (buffer[prefix] != '/' && buffer[prefix] != '\0'))
        return NULL;
    return buffer[prefix] ? buffer + prefix + 1 : ".";
}

static int exists(const struct call *call, const long *a) {
    return faccessat(call->folder < 0 ? AT_FDCWD : (int)a[call->folder], (const char *)a[call->path], F_OK, 0) == 0;
}

// Do the first half of a write; what is no write has no half and is not done.
static long half(long number, const long *a) {
    long part[6];
    memcpy(part, a, sizeof part);
    if (number == SYS_writev) {
        const struct iovec *first = (const struct iovec *)a[1];
        part[1] = (long)first->iov_base;
        part[2] = (long)first->iov_len / 2;
        return own(SYS_write, part);
    }
    part[2] = a[2] / 2;
    return number == SYS_write || number == SYS_pwrite64 ? own(number, part) : 0;
}

static _Noreturn void die(void) {
    kill(getpid(), SIGKILL);
    for (;;)
        pause();
}

// What `RECORD` writes to the trace for each call that succeeded: this, then `path`, `source` and `data` bytes of the
// path, of the path that it had before (a rename, a link), and of what was written. disk.py reads it.
struct entry {
    uint32_t number, path, source, data;
    uint64_t inode;  // of the file that a descriptor names, or that was made
    int64_t offset, flags;
};
#define MOST_PARTS 64  // of a writev

static volatile char recording;

// Make a call and write down what it did. One at a time: the order of the records is the order on the disk.
static long record(const struct call *call, const long *a, const char *path) {
    char buffer[8192];
    const char *source = "";
    if (call->number == SYS_rename || call->number == SYS_renameat || call->number == SYS_renameat2 ||
        call->number == SYS_link || call->number == SYS_linkat) {
        struct call from = *call;
        from.folder -= from.folder < 0 ? 0 : 2;
        from.path -= from.folder < 0 ? 1 : 2;
        source = target(&from, a, buffer, sizeof buffer);
        if (source == NULL)
            source = "/";  // from elsewhere
    }
    while (__atomic_test_and_set(&recording, __ATOMIC_ACQUIRE))
        ;
    long result = own(call->number, a);
    if (result >= 0) {
        struct entry entry = {.number = (uint32_t)call->number, .path = (uint32_t)strlen(path), .source = (uint32_t)strlen(source)};
        struct iovec parts[3 + MOST_PARTS] = {{&entry, sizeof entry}, {(void *)path, entry.path}, {(void *)source, entry.source}};
        int count = 3;
        int file = call->path < 0 ? (int)a[0] : strcmp(call->name, "create") == 0 ? (int)result : -1;
        struct stat found;
        if (strcmp(call->name, "mkdir") == 0
                ? fstatat(call->folder < 0 ? AT_FDCWD : (int)a[call->folder], (const char *)a[call->path], &found, 0) == 0
                : file >= 0 && fstat(file, &found) == 0)
            entry.inode = found.st_ino;
        switch (call->number) {
        case SYS_write:
        case SYS_pwrite64:
            entry.data = (uint32_t)result;
            entry.offset = call->number == SYS_write ? lseek(file, 0, SEEK_CUR) - result : a[3];
            parts[count++] = (struct iovec){(void *)a[1], entry.data};
            break;
        case SYS_writev:
            entry.offset = lseek(file, 0, SEEK_CUR) - result;
            for (long i = 0, left = result; left > 0; i++, count++) {
                if (i == MOST_PARTS)
                    die();  // a record that is not whole would prove nothing
                parts[count] = ((const struct iovec *)a[1])[i];
                if ((long)parts[count].iov_len > left)
                    parts[count].iov_len = (size_t)left;
                left -= (long)parts[count].iov_len;
                entry.data += (uint32_t)parts[count].iov_len;
            }
            break;
        case SYS_fallocate:
            entry.flags = a[1];
            entry.offset = a[2] + a[3];
            break;
        case SYS_ftruncate:
            entry.offset = a[1];
            break;
        case SYS_open:
        case SYS_openat:
            entry.flags = a[call->path + 1];
            break;
        case SYS_renameat2:
            entry.flags = a[4];
            break;
        case SYS_unlinkat:
            entry.flags = a[2];
            break;
        }
        long whole[6] = {trace, (long)parts, count};
        own(SYS_writev, whole);
    }
    __atomic_clear(&recording, __ATOMIC_RELEASE);
    return result;
}

static long decide(const struct call *call, const long *a) {
    long number = call->number;
    if ((number == SYS_open || number == SYS_openat) && !(a[call->path + 1] & (O_CREAT | O_TRUNC)))
        return own(number, a);
    char buffer[8192];
    const char *path = target(call, a, buffer, sizeof buffer);
    if (path == NULL)
        return own(number, a);
    if (kind == RECORD)
        return record(call, a, path);
    long now = __atomic_add_fetch(&count, 1, __ATOMIC_SEQ_CST);
    char line[8300];
    long log[6] = {trace, (long)line, snprintf(line, sizeof line, "%s %s\n", call->name, path)};
    own(SYS_write, log);
    if (kind == COUNT || now < at)
        return own(number, a);
    switch (kind) {
    case KILL:
        die();
    case TEAR:
        half(number, a);
        die();
    case FAIL:
        return now == at ? -EIO : own(number, a);
    case FAIL_ON:
        return -EIO;
    case FILL: {
        if (!call->grows || (strcmp(call->name, "create") == 0 && exists(call, a)))
            return own(number, a);
        long written = now == at ? half(number, a) : 0;  // the last bytes that the disk has room for
        return written > 0 ? written : -ENOSPC;
    }
    default:
        return own(number, a);
    }
}

static void on_call(int signal, siginfo_t *info, void *context) {
    (void)signal;
    int saved = errno;
    greg_t *r = ((ucontext_t *)context)->uc_mcontext.gregs;
    long arguments[6] = {r[REG_RDI], r[REG_RSI], r[REG_RDX], r[REG_R10], r[REG_R8], r[REG_R9]};
    for (size_t i = 0; i < CALLS; i++)
        if (calls[i].number == info->si_syscall) {
            r[REG_RAX] = decide(&calls[i], arguments);
            break;
        }
    errno = saved;
}

// From now on count the calls of this process that change files below `below`, write a line (or a record) for each to
// the descriptor `trace_to`, and do what `what` says at call number `when`. Cannot be undone. 0, or an errno.
int arm(const char *below, int what, long when, int trace_to) {
    snprintf(folder, sizeof folder, "%s", below);
    kind = what, at = when, trace = trace_to;
    struct sigaction action = {.sa_sigaction = on_call, .sa_flags = SA_SIGINFO | SA_NODEFER | SA_RESTART};
    if (sigaction(SIGSYS, &action, NULL))
        return errno;
    struct sock_filter filter[CALLS + 10];
    unsigned short size = 0;
#define ADD(code, k, yes, no) filter[size++] = (struct sock_filter)BPF_JUMP(code, k, yes, no)
#define LOAD(field) ADD(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, field), 0, 0)
#define RETURN(action) ADD(BPF_RET | BPF_K, action, 0, 0)
    LOAD(arch);
    ADD(BPF_JMP | BPF_JEQ | BPF_K, AUDIT_ARCH_X86_64, 1, 0);
    RETURN(SECCOMP_RET_ALLOW);
    LOAD(args[5]);
    ADD(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)OWN, 0, 1);
    RETURN(SECCOMP_RET_ALLOW);
    LOAD(nr);
    for (size_t i = 0; i < CALLS; i++)
        ADD(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)calls[i].number, (unsigned char)(CALLS - i), 0);
    RETURN(SECCOMP_RET_ALLOW);
    RETURN(SECCOMP_RET_TRAP);
    struct sock_fprog program = {size, filter};
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program))
        return errno;
    return 0;
}
