//go:build unix

package cli

import (
	"os/exec"
	"syscall"
)

// inGroup makes a command begin in a process group of its own.
func inGroup(c *exec.Cmd) { c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} }

// killGroup kills a command that was begun, with all that it has begun.
func killGroup(c *exec.Cmd) error { return syscall.Kill(-c.Process.Pid, syscall.SIGKILL) }
