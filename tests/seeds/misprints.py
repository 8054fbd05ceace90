"""Where the three sources slip: the place, what stands there, what is right, and the test in which the engine decides.

Formulas are as printed, words are shortened. A slip that returns in the derivation for the other cost is one row.
"""

from typing import NamedTuple


class Misprint(NamedTuple):
    """One slip; `test` names the function in tests/seeds that shows what is right, and wherever a number can be got
    from what is printed, that it is another."""

    seed: str
    place: str
    printed: str
    correct: str
    test: str


_SCALAR = "test_scalar_network.py::"
_THREE = "test_three_layer_network.py::"
_MATRIX = "test_matrix_network.py::"

MISPRINTS = (
    Misprint(
        "000",
        "the list before the first formula",
        "a, the activation function; y, the output; l, the number of layers",
        "a is what the function σ returns, and a² the output; y is the target; l also counts the layers",
        _SCALAR + "test_the_output_is_a2_and_y_is_the_target",
    ),
    Misprint(
        "000",
        "the chain of the network",
        "… → a² → y",
        "… → a² → C, with y given",
        _SCALAR + "test_the_output_is_a2_and_y_is_the_target",
    ),
    Misprint(
        "000",
        "(a)",
        "∂aˡ/∂zˡ = σ′(aˡ)",
        "∂aˡ/∂zˡ = σ′(zˡ)",
        _SCALAR + "test_the_slope_of_an_activation_is_taken_at_z_not_at_a",
    ),
    Misprint(
        "000",
        "below (a)",
        "σ′, the derivative with respect to the weight",
        "σ′, the derivative with respect to its argument z; ∂aˡ/∂wˡ = aˡ⁻¹·σ′(zˡ)",
        _SCALAR + "test_sigma_prime_is_the_slope_along_z_not_along_a_weight",
    ),
    Misprint(
        "000",
        "(1.1), (2.1), (2.3.2)",
        "z² = a¹·w², z¹ = a⁰·w¹",
        "zˡ = wˡ·aˡ⁻¹ + bˡ; the three derivatives are the same",
        _SCALAR + "test_the_forward_pass",
    ),
    Misprint(
        "000",
        "before (A)",
        "1.1, 2.1 & 3.1",
        "(1.1), (1.2) and (1.3); there is no (3.1)",
        _SCALAR + "test_the_output_layer_is_put_together_from_1_1_and_1_2_and_1_3",
    ),
    Misprint(
        "000",
        "before (2.3.2)",
        "∂(z2)/∂(a¹)",
        "∂z²/∂a¹",
        _SCALAR + "test_the_terms_of_the_inner_layer",
    ),
    Misprint(
        "000",
        "the headings of both halves",
        "gradient vector of the loss",
        "two numbers, the derivatives of the cost C by w² and by w¹",
        _SCALAR + "test_the_gradients_of_the_cost",
    ),
    Misprint(
        "001",
        "the cross entropy as a sum",
        "−1/m Σ(y ln(h_σ(x))) + (1−y) ln(1−(σ(x)))",
        "−1/m Σ (y ln(h(x)) + (1−y) ln(1−h(x)))",
        _THREE + "test_the_sum_and_the_sign_of_the_cross_entropy_cover_both_terms",
    ),
    Misprint(
        "001",
        "the cross entropy as a sum, and the words below",
        "h_σ(x) in one term and σ(x) in the other, σ being the hypothesis",
        "the hypothesis h(x) = A³ = σ(Z³) in both; σ is its last function, and is not applied to x",
        _THREE + "test_sigma_is_applied_to_z3_not_to_the_input",
    ),
    Misprint(
        "001",
        "both costs in matrices",
        "−1/m (y·ln(A³) + (1−y)·ln(1−A³)), 1/m (A³−y)²",
        "with the sum over the entries, or y·ln(A³)ᵀ + (1−y)·ln(1−A³)ᵀ and (A³−y)(A³−y)ᵀ",
        _THREE + "test_without_its_sum_a_cost_over_matrices_needs_a_transpose",
    ),
    Misprint(
        "001",
        "∂J/∂W³ before it is simplified",
        "1/m · (A³ᵢ−yᵢ)/(A³ᵢ(1−A³ᵢ)) · A³ᵢ(1−A³ᵢ) · A²",
        "the sum of that over the samples i, with A²ᵢ",
        _THREE + "test_the_gradient_of_w3_sums_over_the_samples",
    ),
    Misprint(
        "001",
        "∂W³, for both costs",
        "A²/m (A³−y), 2/m (A³−y)·A²",
        "1/m (A³−y)·A²ᵀ, 2/m (A³−y)·A²ᵀ",
        _THREE + "test_the_products_need_their_transposes_and_their_order",
    ),
    Misprint(
        "001",
        "∂Z² and ∂Z¹, for both costs",
        "∂Z³·W³·g′(Z²), ∂Z²·W²·g′(Z¹)",
        "W³ᵀ·∂Z³ ⊙ g′(Z²), W²ᵀ·∂Z² ⊙ g′(Z¹)",
        _THREE + "test_the_products_need_their_transposes_and_their_order",
    ),
    Misprint(
        "001",
        "∂W² and ∂W¹, for both costs",
        "∂Z³·W³·g′(Z²)·A¹, ∂Z²·W²·g′(Z¹)·X",
        "(W³ᵀ·∂Z³ ⊙ g′(Z²))·A¹ᵀ, (W²ᵀ·∂Z² ⊙ g′(Z¹))·Xᵀ",
        _THREE + "test_the_products_need_their_transposes_and_their_order",
    ),
    Misprint(
        "001",
        "the chain for W¹, for both costs",
        "∂J/∂W² = … · ∂Z¹/∂W¹",
        "∂J/∂W¹ = … · ∂Z¹/∂W¹",
        _THREE + "test_the_long_chain_is_that_of_w1",
    ),
    Misprint(
        "001",
        "the words after ∂Z¹, for both costs",
        "the derivative of W³ with respect to the loss",
        "the derivative of the loss with respect to W³",
        _THREE + "test_the_chains_factor_by_factor",
    ),
    Misprint(
        "001",
        "the biases, for both costs",
        "all terms of ∂Zˡ summed up make the bias term",
        "∂bˡ, the gradient of the bias: the terms of each row, over the samples",
        _THREE + "test_what_is_summed_over_the_samples_is_the_gradient_of_the_bias",
    ),
    Misprint(
        "001",
        "the update",
        "Wᵢ = Wᵢ₋₁ − (α · ∂J/∂Wᵢ)",
        "Wᵢ = Wᵢ₋₁ − α · ∂J/∂Wᵢ₋₁",
        _THREE + "test_the_update_takes_the_gradient_where_the_parameter_is",
    ),
    Misprint(
        "001",
        "the update",
        "bᵢ = bᵢ₋₁ − (α · Σⱼ ∂ZI_j), i for the step and for the layer",
        "bˡ ← bˡ − α · Σⱼ ∂Zˡⱼ, of the layer's own ∂Z, at every step",
        _THREE + "test_the_update_rule",
    ),
    Misprint(
        "002",
        "1, the matrix W; with 2, its sizes",
        "m × n, with indices 0 … m and 0 … n",
        "m × n, with indices 0 … m−1 and 0 … n−1; so in B, X, Y and every sum over them",
        _MATRIX + "test_m_times_n_numbers_have_indices_that_end_at_m_minus_1_and_n_minus_1",
    ),
    Misprint(
        "002",
        "1, the bias",
        "a weight bₙ",
        "a bias bₘ: n counts the inputs, m the neurons it is added to",
        _MATRIX + "test_a_bias_has_the_index_of_its_neuron_not_of_an_input",
    ),
    Misprint(
        "002",
        "2, the weighted sum",
        "w_m0 x₀ + w_m1 x₁ w_m2 x₂ + …",
        "w_m0 x₀ + w_m1 x₁ + w_m2 x₂ + …",
        _MATRIX + "test_every_term_of_a_weighted_sum_is_added",
    ),
    Misprint(
        "002",
        "4, the cost",
        "the cost of a layer",
        "the cost of the network, of its last layer's n outputs",
        _MATRIX + "test_the_cost_and_its_derivative",
    ),
    Misprint(
        "002",
        "4 and 8, ŷ",
        "C = 1/n Σ (ŷ − y)², ŷ being what is expected",
        "the target, which is mostly written y, with ŷ for the output; with the source's roles 2(Y − Ŷ) is right",
        _MATRIX + "test_the_hat_is_on_the_target",
    ),
    Misprint(
        "002",
        "5, the first term",
        "∂Y/∂w₀₀ = x₀",
        "∂y₀/∂w₀₀ = x₀; ∂Y/∂w₀₀ is a column with that on top",
        _MATRIX + "test_it_is_one_output_that_has_the_slope_x0_by_w00",
    ),
    Misprint(
        "002",
        "5, the last column",
        "∂C/∂B",
        "∂C/∂X",
        _MATRIX + "test_the_column_with_the_weights_in_it_is_the_gradient_of_the_inputs",
    ),
    Misprint(
        "002",
        "5, why ∂C/∂X is wanted",
        "a third section on backpropagation",
        "section 8: there are two, and there ∂C/∂X⁽²⁾ = ∂C/∂Y⁽¹⁾ is used",
        _MATRIX + "test_the_backward_pass_of_the_example",
    ),
    Misprint(
        "002",
        "8, ∂C/∂Y⁽²⁾ and all that follows",
        "2(Y − Ŷ)",
        "2/n (Y⁽²⁾ − Ŷ)",
        _MATRIX + "test_the_example_needs_the_1_over_n_of_its_cost",
    ),
    Misprint(
        "002",
        "8, ∂C/∂W⁽⁰⁾ and its update",
        "W⁽²⁾ᵀ 2(Y − Ŷ) ⊙ σ′(X⁽¹⁾) X⁽⁰⁾ᵀ",
        "(W⁽²⁾ᵀ 2/n (Y − Ŷ) ⊙ σ′(X⁽¹⁾)) X⁽⁰⁾ᵀ",
        _MATRIX + "test_the_elementwise_product_comes_before_the_one_with_x_transposed",
    ),
    Misprint(
        "002",
        "8, the update of B⁽²⁾",
        "W⁽²⁾ − α · 2(Y − Ŷ)",
        "B⁽²⁾ − α · 2/n (Y − Ŷ)",
        _MATRIX + "test_the_bias_of_layer_2_is_updated_from_itself",
    ),
    Misprint(
        "002",
        "8, the update of B⁽⁰⁾",
        "B⁽⁰⁾ − α · 2(Y − Ŷ) ⊙ σ′(X⁽¹⁾) X⁽⁰⁾ᵀ",
        "B⁽⁰⁾ − α · W⁽²⁾ᵀ 2/n (Y − Ŷ) ⊙ σ′(X⁽¹⁾)",
        _MATRIX + "test_the_bias_of_layer_0_keeps_w2_and_has_no_x0",
    ),
)
