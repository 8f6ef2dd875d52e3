//go:build unix && !aix && !illumos && !solaris

package cli

import (
	"errors"
	"os"
	"syscall"
	"time"
)

// lockFile takes the lock of that name, which the system frees with the process that holds it. It waits for it at most
// for patience.
func lockFile(path string, patience time.Duration) (unlock func(), err error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	for waited := time.Duration(0); ; waited += lockEvery {
		err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) //nolint:gosec // a small number
		switch {
		case err == nil:
			return func() { _ = f.Close() }, nil // which frees it
		case !errors.Is(err, syscall.EWOULDBLOCK) && !errors.Is(err, syscall.EINTR) || waited > patience:
			return nil, errors.Join(&os.PathError{Op: "lock", Path: path, Err: err}, f.Close())
		}
		time.Sleep(lockEvery)
	}
}
