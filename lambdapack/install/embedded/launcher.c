/* The compilers of an image of another CPU, run natively: cc, gcc, c++, g++ and ld.lld are this one static program.
 *
 * It runs zig's clang on the image's own headers and libraries. Whenever that fails, its output is thrown away and the
 * image's own (emulated) compiler runs with the same arguments, so nothing builds worse than without this program.
 *
 * LAMBDAPACK_CROSS_TARGET is the target, LAMBDAPACK_CROSS_FLAGS what makes clang accept what gcc does, by spaces.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define TOOLS "/opt/lambdapack"
#define ZIG TOOLS "/ziglang/zig"
#define GCC_ROOT "/usr/lib/gcc"

static char gcc_directory[4096];
static double newest = -1;

/* Remember DIRECTORY when it is the newest gcc with its start files. */
static void consider(const char *directory, const char *version) {
    char file[4096];
    double number = strtod(version, NULL);
    snprintf(file, sizeof file, "%s/crtbegin.o", directory);
    if (number > newest && access(file, R_OK) == 0) {
        newest = number;
        snprintf(gcc_directory, sizeof gcc_directory, "%s", directory);
    }
}

static void find_gcc(void) {
    DIR *triples = opendir(GCC_ROOT);
    for (struct dirent *triple; triples && (triple = readdir(triples));) {
        char place[2048];
        if (triple->d_name[0] == '.') continue;
        snprintf(place, sizeof place, GCC_ROOT "/%s", triple->d_name);
        DIR *versions = opendir(place);
        for (struct dirent *version; versions && (version = readdir(versions));) {
            char directory[4096];
            if (version->d_name[0] == '.') continue;
            snprintf(directory, sizeof directory, "%s/%s", place, version->d_name);
            consider(directory, version->d_name);
        }
        if (versions) closedir(versions);
    }
    if (triples) closedir(triples);
}

/* Run the image's own program of this name: the next one in PATH that is not ours. */
static int run_own(const char *name, char **argv) {
    const char *path = getenv("PATH");
    char *places = strdup(path && *path ? path : "/usr/bin:/bin"), *rest = places;
    for (char *place; (place = strsep(&rest, ":"));) {
        char file[4096];
        if (!*place || strncmp(place, TOOLS, sizeof TOOLS - 1) == 0) continue;
        snprintf(file, sizeof file, "%s/%s", place, name);
        if (access(file, X_OK) != 0) continue;
        argv[0] = file; /* gcc looks for its parts beside the name it was started by */
        execv(file, argv);
    }
    /* Debian's cc and c++ are links that an image may lack. */
    argv[0] = strcmp(name, "cc") == 0 ? "/usr/bin/gcc" : "/usr/bin/g++";
    execv(argv[0], argv);
    fprintf(stderr, "%s: %s\n", name, strerror(errno));
    return 127;
}

/* What asks the compiler about itself, or reads standard input, is the image's own compiler's to answer. */
static int asks_itself(int argc, char **argv) {
    if (argc < 2) return 1;
    for (int index = 1; index < argc; index++) {
        const char *word = argv[index];
        if (!strcmp(word, "-") || !strcmp(word, "-v") || !strncmp(word, "--version", 9) || !strncmp(word, "-dump", 5) ||
            !strncmp(word, "-print-", 7) || !strncmp(word, "--print-", 8) || !strncmp(word, "--help", 6))
            return 1;
    }
    return 0;
}

static char **clang_command(int argc, char **argv, int plusplus) {
    char *flags = strdup(getenv("LAMBDAPACK_CROSS_FLAGS") ? getenv("LAMBDAPACK_CROSS_FLAGS") : "");
    char **words = calloc((size_t)argc + strlen(flags) + 16, sizeof *words);
    int count = 0;
    char *target, *directory;
    if (!words || asprintf(&target, "--target=%s", getenv("LAMBDAPACK_CROSS_TARGET")) < 0 ||
        asprintf(&directory, "--gcc-install-dir=%s", gcc_directory) < 0)
        exit(126);
    words[count++] = ZIG;
    words[count++] = "clang";
    if (plusplus) words[count++] = "--driver-mode=g++";
    words[count++] = target;
    words[count++] = "--sysroot=/";
    words[count++] = directory;
    words[count++] = "-resource-dir=" TOOLS "/ziglang/lib";
    words[count++] = "-B" TOOLS "/bin";
    words[count++] = "-fuse-ld=lld";
    for (int index = 1; index < argc; index++) words[count++] = argv[index];
    for (char *flag; (flag = strsep(&flags, " "));)
        if (*flag) words[count++] = flag;
    return words;
}

static int copy_output(int from, int to) {
    char block[65536];
    ssize_t size;
    if (lseek(from, 0, SEEK_SET) < 0) return -1;
    while ((size = read(from, block, sizeof block)) > 0)
        for (ssize_t done = 0, now; done < size; done += now)
            if ((now = write(to, block + done, (size_t)(size - done))) < 0) return -1;
    return 0;
}

int main(int argc, char **argv) {
    const char *slash = strrchr(argv[0], '/'), *name = slash ? slash + 1 : argv[0];
    if (!strcmp(name, "ld.lld")) {
        char **words = calloc((size_t)argc + 2, sizeof *words);
        words[0] = ZIG;
        words[1] = "ld.lld";
        for (int index = 1; index < argc; index++) words[index + 1] = argv[index];
        execv(ZIG, words);
        return 127;
    }
    if (!getenv("LAMBDAPACK_CROSS_TARGET") || asks_itself(argc, argv)) return run_own(name, argv);
    find_gcc();
    if (!*gcc_directory) return run_own(name, argv);
    int out = memfd_create("stdout", 0), err = memfd_create("stderr", 0);
    pid_t child = out < 0 || err < 0 ? -1 : fork();
    if (child == 0) {
        dup2(out, 1);
        dup2(err, 2);
        execv(ZIG, clang_command(argc, argv, strstr(name, "++") != NULL));
        _exit(126);
    }
    int status = -1;
    if (child > 0)
        while (waitpid(child, &status, 0) < 0 && errno == EINTR) {}
    if (child > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0) {
        copy_output(err, 2);
        copy_output(out, 1);
        return 0;
    }
    return run_own(name, argv);
}
