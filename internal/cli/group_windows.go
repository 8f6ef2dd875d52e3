package cli

import (
	"os/exec"
	"strconv"
)

// inGroup does nothing: Windows knows which process has begun which.
func inGroup(*exec.Cmd) {}

// killGroup kills a command that was begun, with all that it has begun.
func killGroup(c *exec.Cmd) error {
	err := exec.Command("taskkill", "/T", "/F", "/PID", strconv.Itoa(c.Process.Pid)).Run()
	if err != nil {
		err = c.Process.Kill()
	}
	return err
}
