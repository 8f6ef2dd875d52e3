// Many shows how to wait for many tasks: a change is rolled out over 20 instances, five at a time, 400 tasks in all.
// Each instance has a loop over its tasks; all of them keep to one quota; a line on the terminal says how far the whole
// is. The next five instances follow when nothing has failed.
//
//	go run ./examples/many
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"math/rand/v2"
	"os"
	"sync"
	"time"

	kafka "github.com/huaweicloud/huaweicloud-sdk-go-v3/services/kafka/v2"
	"github.com/taskwait/taskwait"
	"github.com/taskwait/taskwait/examples/internal/demo"
	"github.com/taskwait/taskwait/fakecloud"
	fakekafka "github.com/taskwait/taskwait/fakecloud/kafka"
	"github.com/taskwait/taskwait/huawei/kafkatasks"
	"golang.org/x/term"
	"golang.org/x/time/rate"
)

const (
	instances = 20
	atOnce    = 5
	tasksEach = 20
	quota     = 50 // requests a second, for the account
)

func main() {
	live := io.Discard
	if term.IsTerminal(int(os.Stderr.Fd())) { //nolint:gosec // a small number
		live = os.Stderr
	}
	if err := run(context.Background(), newCloud(), os.Stdout, live); err != nil {
		log.Fatal(err)
	}
}

func newCloud() *fakekafka.Cloud {
	return fakekafka.New(fakecloud.WithLatency(20*time.Millisecond), fakecloud.WithQuota(quota))
}

// run makes the rollout. It writes to out what has come of it, and to live how far it is.
func run(ctx context.Context, cloud *fakekafka.Cloud, out, live io.Writer) error {
	client, err := demo.Client(cloud)
	if err != nil {
		return err
	}
	r := &rollout{
		cloud: cloud, client: client, live: live,
		limiter: taskwait.NewLimiter(rate.NewLimiter(quota-1, 1)), // one fewer, for what is not as regular as it should be
	}
	for first := 1; first <= instances; first += atOnce {
		if err := r.wave(ctx, first, first+atOnce); err != nil {
			return fmt.Errorf("stopped after instance %d: %w", first+atOnce-1, err)
		}
		fmt.Fprint(live, "\r\x1b[K") // clears the line
		fmt.Fprintf(out, "instances %d to %d: %d of %d tasks done\n", first, first+atOnce-1, r.done, instances*tasksEach)
	}
	return nil
}

// rollout is the whole, on its way.
type rollout struct {
	cloud   *fakekafka.Cloud
	client  *kafka.KafkaClient
	limiter *taskwait.Limiter
	live    io.Writer

	mu           sync.Mutex
	done, failed int
}

// wave changes the instances from first to the one before end.
func (r *rollout) wave(ctx context.Context, first, end int) error {
	errs := make([]error, end-first)
	var all sync.WaitGroup
	for i := range errs {
		all.Go(func() { errs[i] = r.change(ctx, fmt.Sprintf("kafka-%d", first+i)) })
	}
	all.Wait()
	return errors.Join(errs...)
}

// change starts the tasks of one instance, and waits for all of them.
func (r *rollout) change(ctx context.Context, instanceID string) error {
	waiter, err := taskwait.New(kafkatasks.New(r.client, instanceID), taskwait.WithLimiter(r.limiter),
		taskwait.WithTimeout(time.Minute), taskwait.WithInterval(500*time.Millisecond, 2*time.Second)) // tasks of seconds
	if err != nil {
		return err
	}
	var ids []string
	for range tasksEach {
		takes := 500*time.Millisecond + rand.N(1500*time.Millisecond)
		ids = append(ids, r.cloud.AddTask(instanceID, fakekafka.Script{Name: "kafkaConfigModify", Duration: takes}))
	}
	var errs []error
	for _, err := range waiter.WaitForTasks(ctx, ids) { // each when it has ended
		r.count(err)
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// count counts a result, and shows how far the whole is.
func (r *rollout) count(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.done++; err != nil {
		r.failed++
	}
	fmt.Fprintf(r.live, "\r%d of %d tasks done, %d failed", r.done, instances*tasksEach, r.failed)
}
