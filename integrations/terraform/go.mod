module github.com/taskwait/taskwait/integrations/terraform

go 1.25.8

// It is released with the library that it stands in.
replace github.com/taskwait/taskwait => ../../

require (
	github.com/cenkalti/backoff/v4 v4.3.0
	github.com/hashicorp/terraform-plugin-sdk/v2 v2.40.1
	github.com/taskwait/taskwait v0.0.0
)

require (
	go.uber.org/multierr v1.10.0 // indirect
	go.uber.org/zap v1.28.0 // indirect
)
