"""Straight to the operating system, as if nothing stood before it."""

PAYLOADS = {
    "a command": "y = os.system('touch FOLDER/made')",
    "a pipe to a command": "y = os.popen('touch FOLDER/made').read()",
    "a new program": "os.execv(sys.executable, [sys.executable, '-c', 'open(\\'FOLDER/made\\', \\'w\\')'])",
    "a new program, spawned": "os.posix_spawn('/bin/sh', ['sh', '-c', 'touch FOLDER/made'], {})",
    "a fork": "y = os.fork()",
    "a fork that stays": """
        if os.fork() == 0:
            os.setsid()
            while True:
                pass
        """,
    "a fork by clone": "ctypes.CDLL(None).syscall(56, 17, 0, 0, 0, 0)",
    "a fork by vfork": "ctypes.CDLL(None).syscall(58)",
    "a thread": """
        import _thread
        _thread.start_new_thread(print, ())
        """,
    "a file": "y = os.open('SECRET.txt', os.O_RDONLY)",
    "a file by its handle": "ctypes.CDLL(None).syscall(304, -100, b'12345678', 0)",
    "a file, made": "os.mkdir('FOLDER/made')",
    "a file, moved": "os.rename('SECRET.txt', 'FOLDER/made')",
    "a file, removed": "os.unlink('SECRET.txt')",
    "a file, linked": "os.symlink('SECRET.txt', 'FOLDER/made')",
    "a file's rights": "os.chmod('SECRET.txt', 0)",
    "a file's owner": "os.chown('SECRET.txt', 0, 0)",
    "a file's time": "os.utime('SECRET.txt')",
    "a file, cut": "os.truncate('SECRET.txt', 0)",
    "a device node": "os.mknod('FOLDER/made')",
    "the folder's list": "y = os.listdir('FOLDER')",
    "another root": "os.chroot('FOLDER')",
    "another working folder": "os.chdir('FOLDER')",
    "the owner's environment": "y = open('/proc/OWNER/environ').read()",
    "the owner's memory": "y = open('/proc/OWNER/mem', 'rb')",
    "the owner's memory by a call": """
        there = struct.pack('<QQ', CELL, 7)
        here = ctypes.create_string_buffer(b'changed')
        ctypes.CDLL(None).syscall(311, OWNER, struct.pack('<QQ', ctypes.addressof(here), 7), 1, there, 1, 0)
        """,
    "the parent, traced": "ctypes.CDLL(None).ptrace(16, os.getppid(), 0, 0)",
    "a connection": "socket.create_connection(('127.0.0.1', PORT))",
    "a connection by a call": "y = ctypes.CDLL(None).socket(2, 1, 0)",
    "a door in the file system": """
        c = socket.socket(socket.AF_UNIX)
        c.connect('FOLDER/door')
        """,
    "a door without a file": """
        c = socket.socket(socket.AF_UNIX)
        c.connect('\0ABSTRACT')
        """,
    "a letter": "socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'x', ('127.0.0.1', UDP))",
    "a raw socket": "socket.socket(socket.AF_INET, socket.SOCK_RAW, 1)",
    "a netlink socket": "socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0)",
    "a socket pair": "y = socket.socketpair()",
    "a descriptor sent home": "socket.send_fds(socket.socket(fileno=0), [b'x'], [0])",
    "a descriptor asked for": "y = socket.recv_fds(socket.socket(fileno=0), 99, 9)",
    "a signal": "os.kill(DECOY, signal.SIGUSR1)",
    "a deadly signal": "os.kill(DECOY, signal.SIGKILL)",
    "a signal to all": "os.kill(-1, signal.SIGKILL)",
    "a signal to the group": "os.killpg(0, signal.SIGTERM)",
    "a signal to the parent": "os.kill(os.getppid(), signal.SIGKILL)",
    "a signal by a thread's number": "ctypes.CDLL(None).syscall(234, DECOY, DECOY, 10)",
    "a signal by a descriptor": "y = os.pidfd_open(DECOY)",
    "a signal with a value": "ctypes.CDLL(None).sigqueue(DECOY, 10, 0)",
    "a signal by an alarm": "signal.alarm(1)",
    "a signal on its own pipe": """
        import fcntl
        fcntl.fcntl(0, 8, DECOY)
        fcntl.fcntl(0, 4, 0o20000)
        """,
    "the clock of another process": "y = ctypes.CDLL(None).clock_gettime(ctypes.c_int((~DECOY << 3) | 2), ctypes.create_string_buffer(16))",
    "another's priority": "os.setpriority(os.PRIO_PROCESS, DECOY, 19)",
    "another's processor": "os.sched_setaffinity(DECOY, {0})",
    "another's limits": """
        import resource
        resource.prlimit(DECOY, resource.RLIMIT_CPU, (0, 0))
        """,
    "root again": "os.setuid(0)",
    "a group again": "os.setgroups([0])",
    "a new namespace": "ctypes.CDLL(None).unshare(0x10000000)",
    "a mount": "ctypes.CDLL(None).mount(b'none', b'FOLDER', b'tmpfs', 0, 0)",
    "shared memory of System V": "y = ctypes.CDLL(None).shmget(1234, 4096, 0o1666)",
    "a message queue": "y = ctypes.CDLL(None).msgget(1234, 0o1666)",
    "a semaphore": "y = ctypes.CDLL(None).semget(1234, 1, 0o1666)",
    "shared memory of POSIX": "y = ctypes.CDLL(None).shm_open(b'/eureka-attack', 66, 0o666)",
    "a memory file": "y = os.memfd_create('made')",
    "io_uring": "y = ctypes.CDLL(None).syscall(425, 8, ctypes.create_string_buffer(120))",
    "userfaultfd": "y = ctypes.CDLL(None).syscall(323, 1)",
    "bpf": "y = ctypes.CDLL(None).syscall(321, 0, b'0' * 72, 72)",
    "perf": "y = ctypes.CDLL(None).syscall(298, b'0' * 112, 0, -1, -1, 0)",
    "keys": "y = ctypes.CDLL(None).syscall(250, 0, -3)",
    "a call of the other table": "y = ctypes.CDLL(None).syscall(0x40000000 + 39)",
    "another personality": "y = ctypes.CDLL(None).syscall(135, 0x0400000)",
    "its own lock, loosened": "ctypes.CDLL(None).prctl(38, 0, 0, 0, 0)",
    "its own limits, raised": """
        import resource
        resource.setrlimit(resource.RLIMIT_AS, (-1, -1))
        """,
    "its parent's death, ignored": "ctypes.CDLL(None).prctl(1, 0, 0, 0, 0)",
    "its own name": "ctypes.CDLL(None).prctl(15, b'sshd', 0, 0, 0)",
    "a kernel module": "y = ctypes.CDLL(None).syscall(175, b'x', 1, b'')",
    "the machine, rebooted": "y = ctypes.CDLL(None).syscall(169, 0, 0, 0, 0)",
    "the machine's name": "socket.sethostname('made')",
    "the machine's clock": """
        import time
        time.clock_settime(0, time.time())
        """,
    "a terminal": "y = os.openpty()",
    "swap": "y = ctypes.CDLL(None).syscall(167, b'SECRET.txt', 0)",
}
