package cli

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"
	"github.com/taskwait/taskwait"
	"github.com/taskwait/taskwait/httptasks"
	"github.com/taskwait/taskwait/internal/ids"
)

const (
	defaultRunTime = 30 * time.Second // of a command, as the library's for a query
	// leastRunTime keeps a slip of the unit from killing every command.
	leastRunTime = 10 * time.Millisecond
	// pipeGrace is how long the output of a command is read that has ended, and left processes which hold it open.
	pipeGrace = time.Second
	// maxRunOutput bounds what a command prints, as the library does for an answer.
	maxRunOutput = 16 << 20
	// maxStderr is how much of the end of its standard error is told.
	maxStderr = 180
)

// execFlags are those of "exec wait".
type execFlags struct {
	waiting
	described
	runTime time.Duration
}

func (s *env) execCommand() *cobra.Command {
	c := &cobra.Command{
		Use: "exec", Short: "A task that any command prints as JSON", Args: cobra.ArbitraryArgs, RunE: needsCommand,
	}
	var f execFlags
	wait := &cobra.Command{
		Use:   "wait [flags] -- COMMAND [ARGUMENT...]",
		Short: "Wait until a task has ended; the exit code says how",
		Long: `Wait until a task has ended that a command prints as JSON: kubectl, az, gcloud,
or your own. The command runs once for each poll, without a shell and without
standard input. It has a process group of its own, which is killed after
--command-timeout. If its exit code is not 0, the poll has failed, and the wait
goes on. The arguments of the command are never printed.

` + placesText + `

` + codesText,
		Example: `  # a job of Kubernetes; it has no condition while it runs
  taskwait exec wait --status 'status.conditions[status=True].type|kind' \
    --executing Job --success SuccessCriteriaMet,Complete \
    --failure FailureTarget,Failed -- kubectl get job migrate -o json

  taskwait exec wait --status state --success done --print result.url \
    --command-timeout 10s -- ./show-task.sh 7`,
		RunE: func(c *cobra.Command, argv []string) error { return s.execWait(c, &f, argv) },
	}
	wait.Flags().SetInterspersed(false) // the flags behind the command are the command's
	f.waiting.flags(wait)
	f.printFlags(wait)
	f.described.flags(wait)
	wait.Flags().DurationVar(&f.runTime, "command-timeout", defaultRunTime, "the longest time for one run of the command")
	wait.ValidArgsFunction = nil
	c.AddCommand(wait)
	return c
}

func (s *env) execWait(c *cobra.Command, f *execFlags, argv []string) error {
	if err := f.waiting.check(c); err != nil {
		return err
	}
	if f.runTime < leastRunTime {
		return fmt.Errorf("--command-timeout %v, want at least %v", f.runTime, leastRunTime)
	}
	if len(argv) == 0 {
		return errors.New("which command? Give it after --, such as -- kubectl get job migrate -o json")
	}
	path, err := exec.LookPath(argv[0])
	if err != nil {
		return err // it names the command
	}
	x := &program{path: path, argv: argv, name: filepath.Base(argv[0]), limit: f.runTime}
	api, err := f.describe("exec", "/{id}")
	if err != nil {
		return err
	}
	hash := sha256.Sum256([]byte(strings.Join(argv, "\x00")))
	of := subject{
		command: "exec", title: "running " + clip(x.name), history: "exec-" + x.name,
		word: func(string) string { return "-- " + quote(argv[0]) + x.ellipsis() },
		keep: map[string]string{
			"command": "exec wait", "the command": "sha256:" + hex.EncodeToString(hash[:]),
		},
	}
	f.keepIn(of.keep, c)
	f.noHistory = f.noHistory || api.Kind == ""
	defer x.finish()
	return s.waitFor(c, &f.waiting, of, selection{ids: []string{x.id()}}, func(*quota) (polled, string, error) {
		src, err := httptasks.NewFrom(x.send, api)
		return src, "", f.explain(err)
	}, taskwait.WithQueryTimeout(f.runTime+2*pipeGrace))
}

// program is a command that is run for each poll.
type program struct {
	path  string
	argv  []string
	name  string // of it alone
	limit time.Duration

	running sync.WaitGroup
}

// id is what the task is called: as the command, if that can be an id.
func (x *program) id() string {
	if ids.Check(x.name) != "" {
		return "command"
	}
	return x.name
}

// ellipsis stands for arguments, if there are any.
func (x *program) ellipsis() string {
	if len(x.argv) == 1 {
		return ""
	}
	return " …"
}

// send runs the command. An error is that of a query, and the next poll runs it again.
func (x *program) send(ctx context.Context, _ httptasks.Request) (httptasks.Answer, error) {
	x.running.Add(1)
	defer x.running.Done()
	limited, cancel := context.WithTimeout(ctx, x.limit)
	defer cancel()
	var out bounded
	var complaint tail
	c := exec.CommandContext(limited, x.path, x.argv[1:]...)
	c.Args[0] = x.argv[0]
	c.Stdout, c.Stderr, c.WaitDelay = &out, &complaint, pipeGrace
	inGroup(c)
	c.Cancel = func() error { return killGroup(c) }
	err := c.Run()
	ended := c.ProcessState != nil && c.ProcessState.Success() // though what it left behind may hold its output open
	if err != nil && c.Process != nil {
		_ = killGroup(c)
	}
	switch {
	case ctx.Err() != nil:
		return httptasks.Answer{}, ctx.Err()
	case limited.Err() != nil && !ended:
		return httptasks.Answer{}, x.failed(fmt.Sprintf("killed, as it took longer than %v", x.limit), &complaint)
	case out.full:
		return httptasks.Answer{}, x.failed("more than 16 MiB of output", &complaint)
	case c.ProcessState != nil && !c.ProcessState.Success():
		how := strings.Replace(c.ProcessState.String(), "exit status", "exit code", 1)
		return httptasks.Answer{}, x.failed(how, &complaint)
	case err != nil && !ended:
		return httptasks.Answer{}, x.failed(err.Error(), &complaint)
	}
	if err := json.NewDecoder(bytes.NewReader(out.text)).Decode(new(json.RawMessage)); err != nil {
		return httptasks.Answer{}, x.failed("no JSON on its standard output", &complaint)
	}
	return httptasks.Answer{Body: out.text}, nil
}

// failed is an error of the command, with what it has written to standard error last.
func (x *program) failed(what string, complaint *tail) error {
	said := strings.TrimSpace(string(complaint.last))
	if said != "" {
		said = ": " + said
	}
	return fmt.Errorf("%s: %s%s", x.name, what, said)
}

// finish waits until what still runs is killed.
func (x *program) finish() {
	over := make(chan struct{})
	go func() { // ends with the command
		x.running.Wait()
		close(over)
	}()
	select {
	case <-over:
	case <-time.After(2 * pipeGrace): // the system cannot kill it
	}
}

// bounded is a buffer with a bound. It is no bytes.Buffer, whose ReadFrom would go round the bound.
type bounded struct {
	text []byte
	full bool
}

// Write returns an error if there is no room.
func (b *bounded) Write(p []byte) (int, error) {
	if b.full = b.full || len(b.text)+len(p) > maxRunOutput; b.full {
		return 0, errors.New("too much output")
	}
	b.text = append(b.text, p...)
	return len(p), nil
}

// tail keeps the end of what is written.
type tail struct{ last []byte }

// Write takes everything.
func (t *tail) Write(p []byte) (int, error) {
	t.last = append(t.last, p...)
	if over := len(t.last) - maxStderr; over > 0 {
		t.last = append([]byte(nil), t.last[over:]...)
	}
	return len(p), nil
}
