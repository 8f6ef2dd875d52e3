package main

import (
	"context"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/datasource"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/provider"
	"github.com/hashicorp/terraform-plugin-framework/provider/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/types"
)

// exampleProvider has the client of the service, and how to poll.
type exampleProvider struct{}

// providerModel is its configuration.
type providerModel struct {
	Endpoint  types.String `tfsdk:"endpoint"`
	ProjectID types.String `tfsdk:"project_id"`
	AccessKey types.String `tfsdk:"access_key"`
	SecretKey types.String `tfsdk:"secret_key"`
	Owner     types.String `tfsdk:"owner"`
	Poll      types.String `tfsdk:"poll"`
}

// Metadata names the provider.
func (*exampleProvider) Metadata(_ context.Context, _ provider.MetadataRequest, resp *provider.MetadataResponse) {
	resp.TypeName = "example"
}

// Schema says what is configured.
func (*exampleProvider) Schema(_ context.Context, _ provider.SchemaRequest, resp *provider.SchemaResponse) {
	resp.Schema = schema.Schema{Attributes: map[string]schema.Attribute{
		"endpoint":   schema.StringAttribute{Required: true, Description: "URL of DMS for Kafka."},
		"project_id": schema.StringAttribute{Required: true, Description: "Id of the project."},
		"access_key": schema.StringAttribute{Required: true, Description: "Access key (AK)."},
		"secret_key": schema.StringAttribute{Required: true, Sensitive: true, Description: "Secret key (SK)."},
		"owner": schema.StringAttribute{Required: true, Description: "What no other configuration of the project has, " +
			"such as the address of the state. By the owner and its name an instance is found again whose creation was " +
			"interrupted."},
		"poll": schema.StringAttribute{Optional: true, Description: "The first pause between two polls. Default 4s; " +
			"the pauses grow to eight times of it."},
	}}
}

// Configure makes the client.
func (*exampleProvider) Configure(
	ctx context.Context, req provider.ConfigureRequest, resp *provider.ConfigureResponse,
) {
	var m providerModel
	resp.Diagnostics.Append(req.Config.Get(ctx, &m)...)
	poll := 4 * time.Second
	if text := m.Poll.ValueString(); text != "" {
		var err error
		if poll, err = time.ParseDuration(text); err != nil || poll < time.Millisecond {
			resp.Diagnostics.AddAttributeError(path.Root("poll"), "Not a pause",
				"Want a duration of at least 1ms, such as 4s: "+text)
		}
	}
	if resp.Diagnostics.HasError() {
		return
	}
	c, err := newCloud(&m, poll)
	if err != nil {
		resp.Diagnostics.AddError("No client of DMS for Kafka", err.Error())
		return
	}
	resp.ResourceData = c
}

// Resources are what the provider manages.
func (*exampleProvider) Resources(context.Context) []func() resource.Resource {
	return []func() resource.Resource{func() resource.Resource { return &instanceResource{} }}
}

// DataSources are none.
func (*exampleProvider) DataSources(context.Context) []func() datasource.DataSource { return nil }
