# System packages on a toolchain image: what install scripts compile against, and libraries that a function takes along.
# lambdapack builds it once for each base image and set of packages (`system-packages` in lambdapack.toml).
#
# LD_LIBRARY_PATH= as in Dockerfile beside this file. Debian's apt-get stands in for dnf in the lab.

ARG BASE
FROM ${BASE}

ARG PACKAGES

# When a package is not found, the names that begin like it follow, so that the nearest can be named.
RUN set -u; \
    export LD_LIBRARY_PATH= DEBIAN_FRONTEND=noninteractive; \
    similar() { \
      for package in ${PACKAGES}; do \
        start=$(printf '%.3s' "$package"); \
        if command -v apt-cache >/dev/null; then apt-cache pkgnames "$start"; \
        elif command -v dnf >/dev/null; then dnf -q repoquery --qf '%{name}\n' "$start*"; \
        elif command -v microdnf >/dev/null; then microdnf repoquery "$start*"; \
        else yum -q list available "$start*"; fi; \
      done 2>/dev/null | sed 's/^/lambdapack-similar: /'; \
    }; \
    options="-y --setopt=install_weak_deps=0 --setopt=tsflags=nodocs"; \
    if command -v microdnf >/dev/null; then microdnf install $options ${PACKAGES} && microdnf clean all; \
    elif command -v dnf >/dev/null; then dnf install $options ${PACKAGES} && dnf clean all; \
    elif command -v yum >/dev/null; then yum install -y ${PACKAGES} && yum clean all; \
    elif command -v apt-get >/dev/null; then \
      apt-get update -qq && apt-get install -qq -y --no-install-recommends ${PACKAGES} && apt-get clean; \
    else echo 'this image has no dnf, microdnf, yum or apt-get'; exit 3; \
    fi || { similar; exit 1; }

# Last, so that a build that failed leaves nothing that looks like its result.
LABEL lambdapack.system-packages="${PACKAGES}"
