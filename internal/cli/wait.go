package cli

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"github.com/taskwait/taskwait"
	"github.com/taskwait/taskwait/internal/text"
)

const (
	defaultInterval    = 4 * time.Second  // as the library's
	defaultMaxInterval = 30 * time.Second // as the library's
	// defaultHeartbeat is below the shortest time after which people and CI systems take a silent job for dead.
	defaultHeartbeat = 30 * time.Second
	// leastHeartbeat keeps a slip of the unit from filling the log.
	leastHeartbeat = 100 * time.Millisecond
	leastInterval  = time.Millisecond // as the library's
	// maxInput bounds the ids on standard input: a million of 64 bytes.
	maxInput = 64 << 20
)

// waitFlags are those of "kafka wait".
type waitFlags struct {
	target
	waiting
	selecting
}

// selecting are the flags that say which tasks are meant.
type selecting struct {
	ids    []string
	name   string
	since  string
	all    bool
	expect int
}

// pollFlags say how to wait.
type pollFlags struct {
	timeout     time.Duration
	interval    time.Duration
	maxInterval time.Duration
	heartbeat   time.Duration
	noHistory   bool
	debugListen string
}

const (
	waitLong = `Wait until background tasks of the instance have ended. Give their ids ("-"
reads ids from standard input). For an operation that answers without an id,
give --name and --since: the one task of that name that began then or later.
With --all the command waits for every task that runs now.

`
	waitExample = `  # one task, at most half an hour
  taskwait kafka wait --region eu-west-101 --project PROJECT_ID \
    --instance INSTANCE_ID --timeout 30m TASK_ID

  # an operation that answers without an id
  since=$(date +%Y-%m-%dT%H:%M:%S%z)
  ./bind-public-ip.sh
  taskwait kafka wait --instance INSTANCE_ID \
    --name bindInstancePublicIp --since "$since"

  # everything that runs, at least two tasks, as JSON
  taskwait kafka wait --instance INSTANCE_ID --all --expect 2 --output json`
)

func (s *env) waitCommand() *cobra.Command {
	f := waitFlags{target: newTarget(kafkaService)}
	c := &cobra.Command{
		Use:   "wait [flags] TASK_ID...",
		Short: "Wait until tasks have ended; the exit code says how",
		Long:  waitLong + codesText, Example: waitExample,
		RunE: func(c *cobra.Command, ids []string) error {
			f.ids = ids
			return s.wait(c, &f)
		},
	}
	f.target.flags(c)
	f.waiting.flags(c)
	f.severalFlags(c)
	f.selecting.flags(c)
	complete(c, "name", func() []string { return s.kinds() })
	complete(c, "since", func() []string { return nil })
	return c
}

func (f *selecting) flags(c *cobra.Command) {
	fs := c.Flags()
	fs.StringVar(&f.name, "name", "", "wait for the task of this name, such as bindInstancePublicIp; needs --since")
	fs.StringVar(&f.since, "since", "", "with --name: when the operation was started: a time, or how long ago (5m)")
	fs.BoolVar(&f.all, "all", false, "wait for all tasks that run now")
	fs.IntVar(&f.expect, "expect", 0,
		"with --all: allow a minute for this many tasks to be listed, else exit with 4")
}

func (f *pollFlags) flags(c *cobra.Command) {
	fs := c.Flags()
	fs.DurationVar(&f.timeout, "timeout", 0, "the longest time to wait, for all tasks together; 0: no limit")
	fs.DurationVar(&f.interval, "interval", defaultInterval,
		"the first pause between two polls; turns learning from earlier runs off")
	fs.DurationVar(&f.maxInterval, "max-interval", defaultMaxInterval,
		"the longest pause between two polls; turns learning from earlier runs off")
	fs.DurationVar(&f.heartbeat, "heartbeat", defaultHeartbeat,
		"say at least this often that the wait goes on, unless stderr is a terminal; 0: never")
	fs.BoolVar(&f.noHistory, "no-history", false, "neither use nor remember how long tasks took")
	fs.StringVar(&f.debugListen, "debug-listen", "",
		"show the waits on a web page at this address, such as "+loopback+":6060; any other than loopback is open to "+
			"the network")
}

// check finds what is wrong on the command line.
func (f *selecting) check(c *cobra.Command) error {
	ways := 0
	for _, given := range []bool{len(f.ids) > 0, f.name != "", f.all} {
		if given {
			ways++
		}
	}
	expects := c.Flags().Changed("expect")
	switch {
	case ways == 0:
		return noTask(c, "Give ids, or --name and --since, or --all")
	case ways > 1:
		return errors.New("give ids, or --name, or --all: only one of the three")
	case (f.name == "") != (f.since == ""):
		return errors.New("--name and --since need each other: a task of that name may have ended long ago")
	case expects && (!f.all || f.expect <= 0):
		return fmt.Errorf("--expect %d, want at least 1, together with --all", f.expect)
	}
	return nil
}

// check finds what is wrong on the command line, and adjusts the bound of the interval that was not given to the other
// one.
func (f *pollFlags) check(c *cobra.Command) error {
	switch {
	case f.timeout < 0:
		return fmt.Errorf("--timeout %v, want 0 or more", f.timeout)
	case f.heartbeat != 0 && f.heartbeat < leastHeartbeat:
		return fmt.Errorf("--heartbeat %v, want 0, or at least %v", f.heartbeat, leastHeartbeat)
	}
	switch given := c.Flags().Changed; {
	case given("interval") && !given("max-interval"):
		f.maxInterval = max(f.maxInterval, f.interval)
	case given("max-interval") && !given("interval"):
		f.interval = min(f.interval, f.maxInterval)
	}
	if f.interval < leastInterval || f.maxInterval < f.interval {
		return fmt.Errorf("--interval %v and --max-interval %v, want the first at least %v and not above the second",
			f.interval, f.maxInterval, leastInterval)
	}
	if f.debugListen == "" {
		return nil
	}
	_, err := debugAddress(f.debugListen)
	return err
}

// selection gives what is waited for, of ids that check lets pass.
func (f *selecting) selection(
	ctx context.Context, stdin io.Reader, check func(id string) error,
) (sel selection, err error) {
	sel = selection{name: f.name, sinceGiven: f.since, all: f.all, expect: f.expect}
	if f.name != "" {
		sel.since, err = parseSince(f.since, time.Now())
		return sel, err
	}
	if sel.ids, err = readWords(ctx, f.ids, stdin); err != nil {
		return sel, err
	}
	for _, id := range sel.ids {
		if err := check(id); err != nil {
			return sel, err
		}
	}
	return sel, nil
}

// readWords gives arguments, each once, with those of standard input in the place of "-".
func readWords(ctx context.Context, args []string, stdin io.Reader) (words []string, err error) {
	for _, word := range args {
		if word != "-" {
			words = append(words, word)
			continue
		}
		read, err := readIDs(ctx, stdin)
		if err != nil {
			return nil, err
		}
		words, stdin = append(words, read...), nil
	}
	return unique(words), nil
}

// sortedWords are ids as a state has them.
func sortedWords(ids []string) string { return strings.Join(slices.Sorted(slices.Values(ids)), " ") }

// unique gives each id once, in the order of the first ones.
func unique(ids []string) []string {
	known := make(map[string]bool, len(ids))
	return slices.DeleteFunc(slices.Clone(ids), func(id string) bool {
		defer func() { known[id] = true }()
		return known[id]
	})
}

// readIDs reads ids that are separated by white space, without the byte order mark that some editors put first. A nil
// reader was read before.
func readIDs(ctx context.Context, r io.Reader) ([]string, error) {
	if r == nil {
		return nil, errors.New(`"-" can be given only once`)
	}
	type result struct {
		ids []string
		err error
	}
	read := make(chan result, 1)
	go func() { // ends with the input
		limited := &io.LimitedReader{R: r, N: maxInput}
		words := bufio.NewScanner(limited)
		words.Split(bufio.ScanWords)
		var ids []string
		for words.Scan() {
			ids = append(ids, words.Text())
			if len(ids) == 1 {
				ids[0] = strings.TrimPrefix(ids[0], "\ufeff")
			}
		}
		err := words.Err()
		if err == nil && limited.N == 0 {
			err = fmt.Errorf("more than %d bytes", maxInput)
		}
		read <- result{ids, err}
	}()
	select {
	case got := <-read:
		if got.err == nil && len(got.ids) == 0 {
			got.err = errors.New("there is none")
		}
		if got.err != nil {
			return nil, fmt.Errorf("ids on standard input: %w", got.err)
		}
		return got.ids, nil
	case <-ctx.Done():
		signal, _ := stoppedBy(ctx)
		return nil, &exitError{code: signal.code()}
	}
}

// parseSince reads a time, or how long ago it was.
func parseSince(s string, now time.Time) (time.Time, error) {
	if d, err := time.ParseDuration(s); err == nil && d >= 0 {
		return now.Add(-d), nil
	}
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04:05-0700"} { // date -Is, and date +%FT%T%z
		if t, err := time.Parse(layout, s); err == nil {
			return t, nil
		}
	}
	return time.Time{}, fmt.Errorf("--since %s, want how long ago (5m), or a time (2026-11-24T08:30:00Z)%s",
		text.Quote(s), withUnit(s))
}

// choose checks the flags, and gives what is waited for, and the keys.
func (s *env) choose(c *cobra.Command, f *waitFlags) (selected selection, k *keys, err error) {
	if err := f.waiting.check(c); err != nil {
		return selected, nil, err
	}
	if err := f.selecting.check(c); err != nil {
		return selected, nil, err
	}
	if selected, err = f.selection(c.Context(), s.stdin, (&subject{}).check); err != nil {
		return selected, nil, err
	}
	k, err = s.resolve(&f.target)
	return selected, k, err
}

func (s *env) wait(c *cobra.Command, f *waitFlags) error {
	selected, k, err := s.choose(c, f)
	if err != nil {
		return err
	}
	of := f.subject()
	of.keep = f.arguments("kafka wait")
	f.keepIn(of.keep, &selected)
	return s.waitFor(c, &f.waiting, of, selected, func(q *quota) (polled, string, error) {
		src, err := s.dialKafka(&f.target, k, q)
		return src, k.source, err
	})
}

// set makes the flags the run's.
func (r *run) set(flags *pflag.FlagSet, f *pollFlags) {
	r.opts = append(r.limit.options(), taskwait.WithInterval(f.interval, f.maxInterval))
	r.timeout, r.given = f.timeout, given(flags, r.subject.flags)
	if r.env.errColumns == nil || flags.Changed("heartbeat") {
		r.heartbeat = f.heartbeat
	}
	if !f.noHistory {
		r.remember(openHistory(r.env.cache, r.subject.history), flags.Changed("interval") || flags.Changed("max-interval"))
	}
}

// keepIn adds what is waited for, for the state: those of the arguments that a wait which goes on must have again.
func (f *selecting) keepIn(to map[string]string, sel *selection) {
	for name, value := range map[string]string{
		"task ids": sortedWords(sel.ids), "--name": f.name, "--since": f.since,
	} {
		if value != "" {
			to[name] = value
		}
	}
	if f.all {
		to["--all"], to["--expect"] = "true", strconv.Itoa(f.expect)
	}
}

// given are the flags of the command line, as words for the resume line, without those that it has of its own.
func given(flags *pflag.FlagSet, subject []string) (words []string) {
	own := []string{"name", "since", "all", "expect", "state", "state-new", "body"}
	for i := 0; i < len(subject); i += 2 { // each is followed by its value
		own = append(own, strings.TrimPrefix(subject[i], "--"))
	}
	flags.Visit(func(f *pflag.Flag) {
		switch {
		case slices.Contains(own, f.Name):
		case f.Value.Type() == "stringArray":
			if all, ok := f.Value.(pflag.SliceValue); ok {
				for _, value := range all.GetSlice() {
					words = append(words, "--"+f.Name+" "+quote(value))
				}
			}
		case f.Value.Type() != "bool":
			words = append(words, "--"+f.Name+" "+quote(f.Value.String()))
		case f.Value.String() == "true":
			words = append(words, "--"+f.Name)
		}
	})
	return words
}
