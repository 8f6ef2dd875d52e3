// Provisioning leads a Kafka instance through its whole life: it creates it, waits until it runs, resizes it, binds a public
// IP, changes its configuration, restarts and deletes it, and says of each step how it ended.
//
//	go run ./examples/provisioning
//
// That is against the embedded cloud. The same against the real one costs money, for as long as the instance lives:
//
//	export HUAWEICLOUD_SDK_AK=… HUAWEICLOUD_SDK_SK=… HUAWEICLOUD_SDK_PROJECT_ID=…
//	go run ./examples/provisioning -real -accept-cost -region eu-west-101 \
//		-zone ZONE_ID -vpc VPC_ID -subnet SUBNET_ID -security-group GROUP_ID -publicip IP_ID
//
// It deletes the instance that it has created, also if a step before has failed, and no other.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, os.Args[1:], os.Stdout)
	stop()
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "provisioning:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, out io.Writer) error {
	s, err := parse(args, out)
	if err != nil {
		return err
	}
	if s.real {
		client, err := connect(&s)
		if err != nil {
			return err
		}
		return (&life{client: client, plan: s.plan, out: out}).run(ctx)
	}
	stage, err := newStage()
	if err != nil {
		return err
	}
	return (&life{client: stage.client, plan: stage.plan(), out: out, before: stage.before}).run(ctx)
}
