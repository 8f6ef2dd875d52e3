//go:build !unix || aix || illumos || solaris

package cli

import (
	"errors"
	"os"
	"time"
)

// staleLock is when a lock belongs to a process that has died: nobody holds it for more than some milliseconds.
const staleLock = 3 * time.Second

// lockFile takes the lock of that name: whoever creates the file holds it. It waits for it at most for patience.
func lockFile(path string, patience time.Duration) (unlock func(), err error) {
	for waited := time.Duration(0); ; waited += lockEvery {
		f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
		if err == nil {
			return func() { _ = os.Remove(path) }, f.Close()
		}
		info, statErr := os.Stat(path)
		switch {
		case statErr == nil && time.Since(info.ModTime()) > staleLock:
			_ = os.Remove(path) // the next turn shows whether that was possible
		case statErr != nil && !errors.Is(err, os.ErrExist) || waited > patience:
			return nil, err
		}
		time.Sleep(lockEvery)
	}
}
