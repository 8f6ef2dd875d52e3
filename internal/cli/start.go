package cli

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
	"time"

	kafka "github.com/huaweicloud/huaweicloud-sdk-go-v3/services/kafka/v2"
	kafkamodel "github.com/huaweicloud/huaweicloud-sdk-go-v3/services/kafka/v2/model"
	"github.com/spf13/cobra"
	"github.com/taskwait/taskwait"
)

// startFlags are those of "kafka start".
type startFlags struct {
	target
	printing
	limitFlags
	stateFlags
	pollFlags
	operation string
	body      string
}

// sender makes one request with a body, and gives the id of the task that it starts.
type sender func(c *kafka.KafkaClient, instance string, body []byte) (id *string, err error)

// startable is an operation that can be started.
type startable struct {
	check func(body []byte) error
	send  sender
}

// operations are what can be started. More need a line each: a method of the SDK that answers with the id of a task.
var operations = map[string]startable{
	"config": withBody(func(c *kafka.KafkaClient, id string, b *kafkamodel.ModifyInstanceConfigsReq) (*string, error) {
		r, err := c.ModifyInstanceConfigs(&kafkamodel.ModifyInstanceConfigsRequest{InstanceId: id, Body: b})
		return jobID(r, err, func() *string { return r.JobId })
	}),
	"reassign": withBody(func(c *kafka.KafkaClient, id string, b *kafkamodel.PartitionReassignRequest) (*string, error) {
		r, err := c.CreateKafkaReassignmentTask(&kafkamodel.CreateKafkaReassignmentTaskRequest{InstanceId: id, Body: b})
		return jobID(r, err, func() *string { return r.JobId })
	}),
	"resize": withBody(func(c *kafka.KafkaClient, id string, b *kafkamodel.ResizeEngineInstanceReq) (*string, error) {
		r, err := c.ResizeKafkaInstance(&kafkamodel.ResizeKafkaInstanceRequest{InstanceId: id, Body: b})
		return jobID(r, err, func() *string { return r.JobId })
	}),
}

func jobID[R any](r *R, err error, id func() *string) (*string, error) {
	if err != nil || r == nil {
		return nil, err
	}
	return id(), nil
}

func withBody[B any](send func(*kafka.KafkaClient, string, *B) (*string, error)) startable {
	decode := func(body []byte) (*B, error) {
		b := new(B)
		d := json.NewDecoder(bytes.NewReader(body))
		d.DisallowUnknownFields() // the SDK would drop them, and another request would be sent
		if err := d.Decode(b); err != nil {
			return nil, err
		}
		if d.More() {
			return nil, errors.New("more than one value")
		}
		return b, nil
	}
	return startable{
		check: func(body []byte) error {
			_, err := decode(body)
			return err
		},
		send: func(c *kafka.KafkaClient, instance string, body []byte) (*string, error) {
			b, err := decode(body)
			if err != nil {
				return nil, err
			}
			return send(c, instance, b)
		},
	}
}

// maxBody bounds the body of a request.
const maxBody = 1 << 20

func (s *env) startCommand() *cobra.Command {
	f := startFlags{target: newTarget(kafkaService)}
	names := slices.Sorted(maps.Keys(operations))
	c := &cobra.Command{
		Use:   "start [flags] OPERATION",
		Short: "Start an operation, and wait for its task",
		Long: `Start an operation on the instance, and wait until its task has ended. While
something else runs, the command waits. It never sends the request twice unless
the service has refused it. With --state this holds across crashes: run the
same command again until it ends.

Operations: ` + strings.Join(names, ", ") + `. The body is that of the request,
as JSON; the API reference of the service describes it.

` + codesText,
		Example: `  echo '{"oper_type": "storage", "new_storage_space": 600}' >resize.json
  taskwait kafka start --instance INSTANCE_ID --state resize.state \
    --body resize.json resize`,
		Args: cobra.ArbitraryArgs,
		RunE: func(c *cobra.Command, args []string) error {
			if len(args) != 1 || operations[args[0]].send == nil {
				return fmt.Errorf("which operation? Give one of %s%s", strings.Join(names, ", "),
					didYouMean(similar(strings.Join(args, " "), names)))
			}
			f.operation = args[0]
			return s.start(c, &f)
		},
	}
	f.target.flags(c)
	f.printing.flags(c)
	f.limitFlags.flags(c)
	f.stateFlags.flags(c)
	f.pollFlags.flags(c)
	c.Flags().StringVar(&f.body, "body", "", "file with the body of the request; -: standard input")
	c.ValidArgs, c.ValidArgsFunction = names, nil
	return c
}

func (s *env) start(c *cobra.Command, f *startFlags) error {
	if err := errors.Join(f.printing.check(), f.pollFlags.check(c)); err != nil {
		return err
	}
	body, err := f.readBody(s.stdin)
	if err != nil {
		return fmt.Errorf("--body: %w", err)
	}
	k, err := s.resolve(&f.target)
	if err != nil {
		return err
	}
	kept, err := f.stateFlags.open(f.command(body), time.Time{}, f.timeout)
	if err != nil {
		return err
	}
	defer kept.close()
	r := s.newRun(f.subject(), &f.printing, selection{name: f.operation})
	r.restore(kept)
	if kept.over() {
		return r.replay(c.Context())
	}
	if r.limit, err = f.limitFlags.open(); err != nil {
		return err
	}
	if r.debug, err = listenDebug(f.debugListen); err != nil {
		return err
	}
	defer r.debug.close()
	src, err := s.dialKafka(&f.target, k, r.limit)
	if err != nil {
		return err
	}
	r.source.polled = src
	r.set(c.Flags(), &f.pollFlags)
	r.starts = f
	op := src.Operation(f.operation, func(c *kafka.KafkaClient) (*string, error) {
		return operations[f.operation].send(c, f.values[0], body)
	})
	r.operation = &op
	return r.do(c.Context(), k.source)
}

// readBody reads the body, and makes sure that it is one.
func (f *startFlags) readBody(stdin io.Reader) ([]byte, error) {
	var text []byte
	var err error
	switch f.body {
	case "":
		return nil, errors.New("it is missing")
	case "-":
		text, err = io.ReadAll(io.LimitReader(stdin, maxBody+1))
	default:
		text, err = os.ReadFile(f.body)
	}
	if err == nil && len(text) > maxBody {
		err = fmt.Errorf("it has more than %d bytes", maxBody)
	}
	if err == nil {
		err = operations[f.operation].check(text)
	}
	return text, err
}

// command is what is started, for the state. The body may hold a secret, so only its hash is kept.
func (f *startFlags) command(body []byte) map[string]string {
	all := f.arguments("kafka start")
	hash := sha256.Sum256(body)
	all["operation"], all["--body"] = f.operation, "sha256:"+hex.EncodeToString(hash[:])
	return all
}

// operate waits for the task of an operation, which it starts first, or goes on with both as the state has it.
func (r *run) operate(ctx context.Context, waiter *taskwait.Waiter, op taskwait.Operation) error {
	if r.state == nil {
		_, err := waiter.Do(ctx, op)
		return err
	}
	t := r.state.kept.Tasks[0]
	budget := taskwait.WithTimeout(r.state.budget(t, r.timeout))
	var err error
	if op.Wait, err = t.wait(); err != nil {
		return err
	}
	op.Save = func(w *taskwait.Wait) error {
		r.mu.Lock()
		defer r.mu.Unlock()
		return r.state.keep(w, nil, true)
	}
	_, err = waiter.Do(ctx, op, budget)
	return err
}
