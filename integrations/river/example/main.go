// Example waits for a task in a job of River: the program that README.md shows.
package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"log"
	"os"
	"os/signal"
	"time"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riversqlite"
	"github.com/riverqueue/river/rivermigrate"
	"github.com/taskwait/taskwait"
	riverwait "github.com/taskwait/taskwait/integrations/river"
	"github.com/taskwait/taskwait/sourcetest"
	_ "modernc.org/sqlite"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, "waits.db", os.Stdout); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, file string, out io.Writer) error {
	// Here stands the Source of your service, such as kafkatasks.New(client, instanceID).
	source := sourcetest.Script(
		sourcetest.Answer{Task: taskwait.Task{Status: taskwait.StatusExecuting}},
		sourcetest.Answer{After: time.Second, Task: taskwait.Task{Status: taskwait.StatusSuccess}})
	waiter, err := taskwait.New(source)
	if err != nil {
		return err
	}
	workers := river.NewWorkers()
	river.AddWorker(workers, &riverwait.Worker[riverwait.Args]{
		Waiter: riverwait.ByName(map[string]*taskwait.Waiter{"kafka": waiter}),
		Done: func(_ context.Context, _ *river.Job[riverwait.Args], task taskwait.Task, err error) error {
			fmt.Fprintln(out, task, err)
			return nil
		},
	})

	db, err := sql.Open("sqlite", "file:"+file+
		"?_pragma=journal_mode(WAL)&_pragma=busy_timeout(5000)&_txlock=immediate")
	if err != nil {
		return err
	}
	db.SetMaxOpenConns(1)         // as the driver wants it
	driver := riversqlite.New(db) // or riverpgxv5.New(pool), of Postgres
	migrator, err := rivermigrate.New(driver, nil)
	if err != nil {
		return err
	}
	if _, err := migrator.Migrate(ctx, rivermigrate.DirectionUp, nil); err != nil {
		return err
	}
	client, err := river.NewClient(driver, riverwait.SetTimeouts(&river.Config{
		Workers: workers, Queues: map[string]river.QueueConfig{river.QueueDefault: {MaxWorkers: 100}},
	}))
	if err != nil {
		return err
	}

	tx, err := db.BeginTx(ctx, nil) // in which your own rows are written too
	if err != nil {
		return err
	}
	resize := riverwait.Args{Source: "kafka", TaskID: "8d1b", Timeout: 30 * time.Minute}
	if _, err := client.InsertTx(ctx, tx, resize, nil); err != nil { // one job for a task, however often
		return errors.Join(err, tx.Rollback())
	}
	if err := tx.Commit(); err != nil {
		return err
	}
	if err := client.Start(ctx); err != nil {
		return err
	}
	<-client.Stopped() // after ctrl-C; started again, it goes on
	return db.Close()
}
