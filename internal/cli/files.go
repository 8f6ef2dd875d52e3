package cli

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

const (
	// lockPatience is for how long a command that could end waits to remember something. A save takes milliseconds.
	lockPatience = 5 * time.Second
	lockEvery    = 10 * time.Millisecond
)

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
