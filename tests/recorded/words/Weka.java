// Record Weka 3.6's MultilayerPerceptron; see problem.md. Its first weights and its order of the rows follow from its
// seed and cannot be given: both are recorded. javac -cp weka.jar Weka.java && java -cp weka.jar:. Weka
import java.lang.reflect.Field;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import weka.classifiers.functions.MultilayerPerceptron;
import weka.core.Attribute;
import weka.core.FastVector;
import weka.core.Instance;
import weka.core.Instances;

public class Weka {
    static final double TINY = 1e-300; // a learning rate with which nothing moves: gives the first weights

    static FastVector classes() {
        FastVector names = new FastVector();
        names.addElement("no");
        names.addElement("yes");
        return names;
    }

    static Instances rows(int inputs, double[][] x, double[] y, boolean nominal) {
        FastVector attributes = new FastVector();
        for (int c = 0; c < inputs; c++) attributes.addElement(new Attribute("x" + c));
        attributes.addElement(nominal ? new Attribute("y", classes()) : new Attribute("y"));
        Instances data = new Instances("problem", attributes, x.length);
        data.setClassIndex(inputs);
        for (int r = 0; r < x.length; r++) {
            double[] values = Arrays.copyOf(x[r], inputs + 1);
            values[inputs] = y[r];
            data.add(new Instance(1.0, values));
        }
        return data;
    }

    // The printed model has all weights with all digits, for each node its threshold and its weights
    static double[] weights(MultilayerPerceptron net, int hidden, int inputs, int outputs) {
        List<Double> found = new ArrayList<Double>();
        Matcher numbers = Pattern.compile("(?:Threshold|Attrib x\\d+|Node \\d+)\\s+(-?\\d[-\\dE.]*)").matcher(net.toString());
        while (numbers.find()) found.add(Double.parseDouble(numbers.group(1)));
        int second = inputs * hidden + hidden;
        double[] w = new double[second + hidden * outputs + outputs];
        int next = 0; // the output nodes come first: their threshold, then their weights; then the hidden nodes
        for (int o = 0; o < outputs; o++) {
            w[second + hidden * outputs + o] = found.get(next++);
            for (int h = 0; h < hidden; h++) w[second + h * outputs + o] = found.get(next++);
        }
        for (int h = 0; h < hidden; h++) {
            w[inputs * hidden + h] = found.get(next++);
            for (int i = 0; i < inputs; i++) w[i * hidden + h] = found.get(next++);
        }
        return w;
    }

    static double[] trained(Instances data, int seed, int epochs, double rate, double momentum, boolean decay, int hidden)
            throws Exception {
        MultilayerPerceptron net = new MultilayerPerceptron();
        net.setHiddenLayers("" + hidden);
        net.setSeed(seed);
        net.setTrainingTime(epochs);
        net.setLearningRate(rate);
        net.setMomentum(momentum);
        net.setDecay(decay);
        net.buildClassifier(data);
        int outputs = data.classAttribute().isNominal() ? data.classAttribute().numValues() : 1;
        return weights(net, hidden, data.numAttributes() - 1, outputs);
    }

    static String list(double[] values) {
        StringBuilder text = new StringBuilder("[");
        for (int n = 0; n < values.length; n++) text.append(n > 0 ? "," : "").append(String.format("%.9g", values[n]));
        return text.append("]").toString();
    }

    // The order follows from java.util.Random(seed), before the weights are drawn: Instances.randomize of a list
    static int[] order(int seed, int rows, int draws) {
        Random random = new Random(seed);
        for (int n = 0; n < draws; n++) random.nextDouble();
        int[] order = new int[rows];
        for (int r = 0; r < rows; r++) order[r] = r;
        for (int j = rows - 1; j > 0; j--) {
            int k = random.nextInt(j + 1);
            int kept = order[j];
            order[j] = order[k];
            order[k] = kept;
        }
        return order;
    }

    static double quantile(double[] sorted, double p) {
        return sorted[(int) Math.round(p * (sorted.length - 1))];
    }

    public static void main(String[] arguments) throws Exception {
        double[][] x = new double[6][2];
        double[] y = new double[6];
        for (int r = 0; r < 6; r++) {
            for (int c = 0; c < 2; c++) x[r][c] = Math.sin(2 * r + 3 * c);
            y[r] = 0.5 + 0.4 * Math.cos(r);
        }
        Instances data = rows(2, x, y, false);
        Instances labelled = rows(2, x, new double[] {0, 1, 1, 0, 1, 1}, true);
        StringBuilder cases = new StringBuilder();
        double[][] settings = {{0.3, 0.2, 0, 0}, {0.1, 0.5, 0, 0}, {0.3, 0.2, 1, 0}, {0.3, 0.2, 0, 1}};
        for (double[] setting : settings) {
            boolean decay = setting[2] > 0;
            Instances shown = setting[3] > 0 ? labelled : data;
            String options = String.format("{\"learning_rate\":%s,\"momentum\":%s,\"decay\":%s,\"nominal\":%s}", setting[0], setting[1], decay, setting[3] > 0);
            if (cases.length() > 0) cases.append(",");
            cases.append("\"").append(options.replace("\"", "'")).append("\":{\"options\":").append(options);
            cases.append(",\"start\":").append(list(trained(shown, 7, 1, TINY, 0, false, 3)));
            cases.append(",\"order\":").append(Arrays.toString(order(7, 6, 0))).append(",\"after\":[");
            for (int epochs = 1; epochs <= 3; epochs++) {
                cases.append(epochs > 1 ? "," : "");
                cases.append(list(trained(shown, 7, epochs, setting[0], setting[1], decay, 3)));
            }
            cases.append("]}");
        }
        int draws = 2000;
        double[][] first = new double[draws][];
        for (int n = 0; n < draws; n++) first[n] = trained(data, n + 1, 1, TINY, 0, false, 3);
        String[] names = {"w1", "b1", "w2", "b2"};
        int[] ends = {0, 6, 9, 12, 13};
        double[] shares = {0, .05, .25, .5, .75, .95, 1};
        StringBuilder init = new StringBuilder();
        for (int part = 0; part < 4; part++) {
            int size = ends[part + 1] - ends[part];
            double[] all = new double[size * draws];
            for (int n = 0; n < draws; n++) System.arraycopy(first[n], ends[part], all, n * size, size);
            Arrays.sort(all);
            double[] found = new double[shares.length];
            for (int s = 0; s < shares.length; s++) found[s] = quantile(all, shares[s]);
            init.append(part > 0 ? "," : "").append("\"").append(names[part]).append("\":").append(list(found));
        }
        System.out.println("{\"weka\":{\"version\":\"3.6.14\",\"cases\":{" + cases + "},\"init\":{" + init + "}}}");
    }
}
