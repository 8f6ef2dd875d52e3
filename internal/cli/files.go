package cli

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/gofrs/flock"
)

const (
	// lockPatience is for how long a command waits for a lock that is held while a file is changed, which takes
	// milliseconds.
	lockPatience = 5 * time.Second
	lockEvery    = 10 * time.Millisecond
)

// errLocked is the error for a lock that somebody else holds.
var errLocked = errors.New("another process holds the lock")

// lockFile takes the lock of that name, which the system frees with the process that holds it. It waits for it at most
// for patience.
func lockFile(path string, patience time.Duration) (unlock func(), err error) {
	l := flock.New(path, flock.SetPermissions(0o600))
	for waited := time.Duration(0); ; waited += lockEvery {
		locked, err := l.TryLock()
		switch {
		case err != nil:
			return nil, err
		case locked:
			return func() { _ = l.Unlock() }, nil
		case waited >= patience:
			return nil, fmt.Errorf("%s: %w", clip(path), errLocked)
		}
		time.Sleep(lockEvery)
	}
}

// newerError is the error for a file in a format that this program does not know yet.
type newerError struct{ version int }

// Error names the version.
func (e newerError) Error() string {
	return fmt.Sprintf("version %d is newer than this program", e.version)
}

// damagedPath is where a file is kept that cannot be read.
func damagedPath(path string) string { return path + ".damaged" }

// regularFile is path with its links followed. What is there must be a file whose content can be replaced: no device,
// no pipe.
func regularFile(path string) (string, error) {
	real, err := filepath.EvalSymlinks(path)
	if errors.Is(err, os.ErrNotExist) {
		return path, nil
	}
	if err != nil {
		return "", err
	}
	info, err := os.Stat(real)
	if err == nil && !info.Mode().IsRegular() {
		err = fmt.Errorf("%s is no regular file", clip(path))
	}
	return real, err
}

// replaceFile writes a file completely or not at all; sync is called before it takes the place of the old one. The
// caller holds the file's lock: content that is not complete yet has one name, so that killed processes leave one such
// file.
func replaceFile(path string, text []byte, sync func(*os.File) error) error {
	next := path + ".tmp"
	_ = os.Remove(next) // left by a process that was killed
	f, err := os.OpenFile(next, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	if err == nil {
		err = sync(f)
	}
	err = errors.Join(err, f.Close())
	if err == nil {
		err = os.Rename(next, path)
	}
	if err != nil {
		_ = os.Remove(next) // the first error is the one that counts
	}
	return err
}
