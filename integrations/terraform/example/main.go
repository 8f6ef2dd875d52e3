// Example is a Terraform provider with one resource, a Kafka instance: its waits are taskwait's. README.md shows how it
// is used.
package main

import (
	"context"
	"flag"
	"log"
	"os"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/provider"
	"github.com/hashicorp/terraform-plugin-framework/providerserver"
)

// address is where Terraform finds the provider: in a mirror or by dev_overrides, as no registry has it.
const address = "registry.terraform.io/taskwait/example"

func main() {
	debug := flag.Bool("debug", false, "serve for a debugger")
	flag.Parse()
	go endWithParent(os.Getppid())
	err := providerserver.Serve(context.Background(), func() provider.Provider { return &exampleProvider{} },
		providerserver.ServeOpts{Address: address, Debug: *debug})
	if err != nil {
		log.Fatal(err)
	}
}

// endWithParent ends the process when terraform, which has started it, is no more. A provider that outlives a killed
// terraform would go on, and might send the request to create what the next apply is about to look for.
func endWithParent(parent int) {
	for os.Getppid() == parent {
		time.Sleep(100 * time.Millisecond)
	}
	os.Exit(1)
}
