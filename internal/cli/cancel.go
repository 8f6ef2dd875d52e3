package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core"
	"github.com/spf13/cobra"
	"github.com/taskwait/taskwait"
	"github.com/taskwait/taskwait/huawei/jobs"
)

const (
	// cancelPatience bounds how long a cancel waits for throttles to pass.
	cancelPatience = time.Minute
	// untoldThrottle is the pause after a throttle that does not say how long it lasts.
	untoldThrottle = time.Second
)

// cancelFlags are those of the cancel of a service.
type cancelFlags struct {
	target
	printing
	limitFlags
}

// canceller asks a service once to cancel a task.
type canceller interface {
	Cancel(ctx context.Context, id string) error
	Validate() error
}

// cancelCommand is a command that cancels what is called so; connect makes what asks for it.
func (s *env) cancelCommand(
	of service, things string, connect func(c *core.HcHttpClient, values []string) canceller,
) *cobra.Command {
	f := cancelFlags{target: newTarget(of)}
	c := &cobra.Command{
		Use:   "cancel [flags] ID...",
		Short: "Ask the service to cancel them",
		Long: fold("Ask the service to cancel "+things+`, by their ids ("-" reads ids from standard input). To see how `+
			"they end, wait for them. If no answer comes, the request is not sent again, and the service may have accepted "+
			"it.", "") + "\n\n" + strings.Replace(codesText, exitCodes[0].meaning, "the service has accepted them all", 1),
		RunE: func(c *cobra.Command, ids []string) error { return s.cancel(c, &f, ids, connect) },
	}
	f.target.flags(c)
	f.printing.flags(c)
	f.limitFlags.flags(c)
	return c
}

func (s *env) serviceCancel(row jobs.Service) *cobra.Command {
	return s.cancelCommand(serviceOf(&row), row.Waits, func(c *core.HcHttpClient, values []string) canceller {
		return row.Source(c, values...)
	})
}

func (s *env) cancel(
	c *cobra.Command, f *cancelFlags, ids []string, connect func(c *core.HcHttpClient, values []string) canceller,
) error {
	if err := f.printing.check(); err != nil {
		return err
	}
	ids, err := s.readIDs(c, ids)
	if err != nil {
		return err
	}
	k, err := s.resolve(&f.target)
	if err != nil {
		return err
	}
	limit, err := f.limitFlags.open()
	if err != nil {
		return err
	}
	client, err := s.dial(&f.target, k, limit)
	if err != nil {
		return err
	}
	src := connect(client, f.values)
	if err := src.Validate(); err != nil {
		return err
	}
	r := s.newRun(f.subject(), &f.printing, selection{ids: ids})
	r.limit = limit
	return r.cancelAll(c.Context(), src, k.source)
}

// cancelAll asks for each task that it be cancelled, and gives the exit code as an error, unless it is 0.
func (r *run) cancelAll(ctx context.Context, src canceller, credentials string) error {
	if r.forPeople {
		r.env.note(ctx, r.subject.about(credentials))
	}
	r.reporter = r.env.reporter(r.printing)
	r.limit.sayTo(r.warn)
	r.start(credentials)
	for _, id := range r.selection.ids {
		r.cancelOne(ctx, src, id)
	}
	e := r.endCancels(ctx)
	r.emit(e)
	r.reporter.close()
	r.env.out.flush(ctx)
	if r.forPeople && r.refused {
		r.env.hint(r.subject.refused(clip(credentials)))
	}
	if r.forPeople && e.Resume != "" {
		r.env.hintCommand("to wait until they have ended: ", e.command)
	}
	if *e.ExitCode != codeOK {
		return &exitError{code: *e.ExitCode}
	}
	return nil
}

// cancelOne reports whether the service has accepted the cancellation of a task.
func (r *run) cancelOne(ctx context.Context, src canceller, id string) {
	err := r.cancel(ctx, src, id)
	e := &event{Event: eventAccepted, Task: clip(id), Elapsed: seconds(time.Since(r.begun))}
	if err == nil {
		r.open = append(r.open, id)
	} else {
		e.Event, e.Error, e.Outcome = eventDone, reason(err), cancelOutcome(ctx, err)
		r.outcomes = append(r.outcomes, e.Outcome)
		r.refused = r.refused || unauthorized(err)
	}
	r.emit(e)
}

// endCancels is the last event.
func (r *run) endCancels(ctx context.Context) *event {
	code := codeOf(r.outcomes)
	if signal, ok := stoppedBy(ctx); ok && len(r.outcomes) > 0 {
		code = signal.code()
	}
	e := &event{Event: eventEnd, Outcomes: map[outcome]int{}, ExitCode: &code, Elapsed: seconds(time.Since(r.begun))}
	for _, o := range r.outcomes {
		e.Outcomes[o]++
	}
	// The ids of Kafka's scheduled tasks are not those of what it can wait for.
	if ids := r.resumable(); len(ids) > 0 && r.subject.command != kafkaService.name {
		e.command = r.resume(ids)
		e.Resume = strings.Join(e.command, " ")
	}
	return e
}

// cancel asks once that a task be cancelled, and again only after a throttle, which has not reached the service.
func (r *run) cancel(ctx context.Context, src canceller, id string) error {
	for until := time.Now().Add(cancelPatience); ; {
		if r.limit != nil {
			if err := r.limit.Wait(ctx); err != nil {
				return err
			}
		}
		err := src.Cancel(ctx, id)
		var q *taskwait.QueryError
		if !errors.As(err, &q) || q.Class != taskwait.ClassThrottled || time.Now().After(until) {
			return err
		}
		select {
		case <-time.After(max(q.RetryAfter, untoldThrottle)):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// cancelOutcome is the outcome of a task that was not cancelled.
func cancelOutcome(ctx context.Context, err error) outcome {
	var q *taskwait.QueryError
	switch {
	case ctx.Err() != nil:
		return stopped
	case errors.As(err, &q) && q.Class == taskwait.ClassNotFound:
		return notFound
	}
	return noAnswer
}

// cancelWords is the command that cancels tasks, a flag and its value in one word; nil: there is none.
func (r *run) cancelWords(ids []string) []string {
	if !r.subject.cancels || len(ids) == 0 || len(chunks(ids)) > 1 {
		return nil
	}
	return r.sought(addFlags([]string{fmt.Sprintf("taskwait %s cancel", r.subject.command)}, r.subject.flags...), ids, "")
}
